"""A turn: admit, hydrate, guard, act, commit."""
