"""What a support desk and an operator do with conversations, tickets, dead letters and streams."""
