-- Cancel a reservation and pay back to the payment methods it was paid with. Takes reservation_id, version (of the
-- reservation when the offer was made), conversation_id, tool_call_id, details (for the ledger, without personal
-- data), refund_usd (at most what was paid).
-- Returns one row, or none when the offer no longer holds; a tool call made before gets its row again. Keeps: its
-- seats and places are free again.
SELECT version FROM cancel_reservation(
    ROW(%(reservation_id)s, %(version)s, %(conversation_id)s, %(tool_call_id)s, %(details)s)::reservation_offer,
    %(refund_usd)s) AS version
