"""Load test: a bounded generator of conversations, and its measurements."""
