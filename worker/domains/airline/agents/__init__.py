"""The agents of the airline and what each is told."""
