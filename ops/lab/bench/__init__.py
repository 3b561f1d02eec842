"""Benchmark the product against the bare agents SDK: the same graph and stub model, in one interleaved run."""
