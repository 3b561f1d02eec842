"""Measure how good the product's judgement is, on labelled sets: `python -m ops.lab.evaluate`."""
