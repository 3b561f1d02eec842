"""The way out: publishing the outbox to the streams and keeping the streams bounded."""
