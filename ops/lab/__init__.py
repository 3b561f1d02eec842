"""Benchmarks, load tests and chaos tests of the product; imported by the command line alone."""
