"""The database itself: migrations, its structure, rotation of the vault keys."""
