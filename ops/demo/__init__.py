"""Play sample conversations through the real product, and check the outcome."""
