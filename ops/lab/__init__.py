"""What measures the product and what breaks it on purpose; imported by the command line alone."""
