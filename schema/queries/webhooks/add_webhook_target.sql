-- Add a target. Takes tenant, target_id, url, event_types (array), secret (sealed).
INSERT INTO webhook_target (tenant_id, target_id, url, event_types, secret)
VALUES (%(tenant)s, %(target_id)s, %(url)s, %(event_types)s, %(secret)s)
