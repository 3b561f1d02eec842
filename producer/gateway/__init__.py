"""The HTTP process: gateways in any language hand messages in and collect replies with one API key."""
