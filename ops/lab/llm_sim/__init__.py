"""Simulate a provider of language models: the OpenAI wire formats, the local model's wits, latency and faults."""
