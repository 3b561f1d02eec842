"""What the agents can look up and do."""
