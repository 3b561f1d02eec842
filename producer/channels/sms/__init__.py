"""Text messages by a provider with Twilio's API: signatures, requests, keywords, segments, errors. Pure."""
