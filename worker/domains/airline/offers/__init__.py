"""Work out what a booking can be offered: read what it needs, apply the rules, say the price. Nothing is written."""
