"""The text tower: natural English, the teacher's vectors of it, and a table fitted to them. Start with fit.py."""
