"""Servers and workers together on one machine."""
