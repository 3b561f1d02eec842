"""The airline: its records, rules, offers, tools and agents, and the model that needs no network."""
