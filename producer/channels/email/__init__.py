"""E-mail: mails are read and written here as bytes, and nothing is sent or received."""
