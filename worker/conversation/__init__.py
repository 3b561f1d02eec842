"""What a turn knows of its conversation."""
