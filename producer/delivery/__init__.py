"""The process that delivers what happened to receivers outside: webhooks."""
