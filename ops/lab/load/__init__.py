"""Load: a bounded generator of conversations and what it measures."""
