"""The agents of the airline's support desk and how they hand off."""
