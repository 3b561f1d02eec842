"""Reads what a channel's provider hands in, and writes what goes out through it: plain data in and out, no I/O."""
