"""A worker process: its loop, its drains, its repairs, and the one place that puts it together."""
