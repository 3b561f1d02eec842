"""Publishing the outbox to the outbound streams, and keeping the streams bounded."""
