"""A simulated provider of language models: the OpenAI wire formats, the local model's answers, latency and faults."""
