"""The commands of `fte`."""
