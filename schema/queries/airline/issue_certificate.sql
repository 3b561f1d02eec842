-- Give a reservation's customer a certificate as compensation. Takes reservation_id, version (of the reservation when
-- the offer was made), conversation_id, tool_call_id, details (for the ledger, without personal data), amount_usd,
-- reason.
-- Returns one row, or none when the offer no longer holds; a tool call made before gets its row again. Keeps: one
-- certificate for a reservation and reason.
SELECT version FROM issue_certificate(
    ROW(%(reservation_id)s, %(version)s, %(conversation_id)s, %(tool_call_id)s, %(details)s)::reservation_offer,
    %(amount_usd)s, %(reason)s) AS version
