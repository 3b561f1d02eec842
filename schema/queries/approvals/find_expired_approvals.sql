-- Find approvals of all tenants that nobody decided in time, in conversations that are the bot's. Takes rows_max.
-- Returns tenant_id, approval_id.
SELECT a.tenant_id, a.approval_id FROM approval a JOIN conversation c USING (tenant_id, conversation_id)
WHERE a.state = 'waiting' AND a.expires_at <= clock_timestamp() AND c.owner = 'bot'
ORDER BY a.expires_at, a.tenant_id, a.approval_id LIMIT %(rows_max)s
