"""What the starter models can do, measured on development sets, and the card that says so."""
