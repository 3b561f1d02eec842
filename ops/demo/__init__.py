"""Play sample conversations through the real product, and check what came of them."""
