"""How the starter models are made: from nothing, by code, on two cores. Start with README.md."""
