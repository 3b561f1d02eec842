"""What operators do with tenants: make, set, suspend and delete them, and give them API keys."""
