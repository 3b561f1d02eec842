"""Read what a customer writes: clauses, identification, days, places, options, wishes; nothing here decides."""
