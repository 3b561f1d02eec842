"""Import the airline's published articles into the knowledge base."""
