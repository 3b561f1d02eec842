"""The brains behind the SDK's model provider."""
