"""What is counted of a worker: below everything else of it, so that every part may count."""
