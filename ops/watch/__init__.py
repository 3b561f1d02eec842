"""Watch a deployment as a whole: facts read from its servers, exported once, and shown by commands."""
