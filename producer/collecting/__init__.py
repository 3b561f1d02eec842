"""Consumers and readers of the outbound streams: how replies reach a gateway."""
