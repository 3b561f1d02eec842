"""Durable execution: finished model calls and tool calls, replayed on another worker."""
