"""What is checked before, beside and after the agents."""
