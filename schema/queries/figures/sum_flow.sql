-- Sum up what came in and went out lately. Takes seconds: how long ago it may be.
-- Returns turns committed, the messages that they answered, replies, tickets, dead messages, and accepted: messages that came
-- in that time, answered or still waiting.
WITH recent AS MATERIALIZED (
    SELECT t.tenant_id, t.message_ids, t.outcome FROM tenant n
    JOIN turn t ON t.tenant_id = n.tenant_id AND t.committed_at > clock_timestamp() - make_interval(secs => %(seconds)s)),
done AS MATERIALIZED (
    SELECT i.accepted_at FROM recent r CROSS JOIN unnest(r.message_ids) AS m (message_id)
    JOIN inbox i ON i.tenant_id = r.tenant_id AND i.message_id = m.message_id)
SELECT (SELECT count(*) FROM recent) AS turns,
    (SELECT count(*) FROM done) AS messages,
    (SELECT count(*) FROM recent WHERE outcome NOT IN ('forwarded', 'ignored')) AS replies,
    (SELECT count(*) FROM recent WHERE outcome = 'escalated') AS tickets,
    (SELECT count(*) FROM recent WHERE outcome = 'dead') AS dead,
    (SELECT count(*) FROM done WHERE accepted_at > clock_timestamp() - make_interval(secs => %(seconds)s))
        + (SELECT count(*) FROM inbox WHERE state = 'accepted'
            AND accepted_at > clock_timestamp() - make_interval(secs => %(seconds)s)) AS accepted
