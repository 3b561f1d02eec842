"""How answers get out: consumers and readers of the outbound streams."""
