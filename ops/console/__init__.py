"""What operators and tenants' own administrators do over HTTP: routers that are handed to the gateway."""
