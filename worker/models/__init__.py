"""The models behind the SDK's model provider, and what protects them."""
