"""The embedded brain: classifies, extracts, and calls the tools any model calls; no network, no key."""
