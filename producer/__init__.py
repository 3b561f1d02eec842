"""How work gets in and answers get out: client, gateway, channels, delivery, load."""
