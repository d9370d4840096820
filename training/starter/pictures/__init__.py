"""Generators of pictures: every module draws some families and lists them in FAMILIES."""
