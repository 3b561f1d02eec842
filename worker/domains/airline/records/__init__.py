"""The airline's records as plain data, and the protocol that gives them."""
