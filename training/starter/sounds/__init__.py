"""Sounds, spoken words and clips, made by code: what the starter models' sound tower learns from and is measured on."""
