"""The role of HTTP processes: few rights, on one tenant at a time, and only with that tenant's proof.

A statement under `fte_app` sees whatever tenant it names, and every tenant as `*`. That is right for workers, whose
statements are all written here. A process that strangers reach must not depend on that: under `fte_http` a statement
sees the rows of the tenant that it names (`fte.tenant`) only with the proof of that tenant (`fte.proof`), which
PostgreSQL gives out for an API key or for the opened secret of a channel account alone, and never for `*`.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from psycopg import errors, sql

from runtime.database import HTTP_ROLE, connect

RIGHTS: Final = {
    "migration": "SELECT",
    "deployment": "SELECT",
    "tenant": "SELECT, UPDATE (brand)",
    "tenant_settings": "SELECT, INSERT",
    "api_key": "SELECT (key_id, tenant_id, label, person, scopes, addresses, created_at, created_by, expires_at, "
    "revoked_at, revoked_by, replaced_by, last_used_at), INSERT, UPDATE (revoked_at, revoked_by, replaced_by)",
    "conversation": "SELECT, UPDATE (version, owner, last_ordinal, last_sequence, last_item, last_agent, context, "
    "vault, updated_at, desk_state, desk_version, claimed_by, claimed_until, waiting_since, answer_by, "
    "overdue_noted_at, snoozed_until, resolved_at, taken_ordinal)",
    "conversation_sender": "SELECT, UPDATE (context, last_agent)",
    "inbox": "SELECT",
    "session_item": "SELECT, INSERT",
    "turn": "SELECT",
    "ticket": "SELECT, UPDATE (closed_at, closed_by, closed_because, answer_by)",
    "outbox": "SELECT, INSERT, UPDATE (published_at, stream_position, withdrawn_at)",
    "collected_stream": "SELECT",
    "resolution": "SELECT, INSERT",
    "span": "INSERT",
    "desk_member": "SELECT, INSERT, UPDATE (role, set_by, set_at), DELETE",
    "desk_act": "SELECT, INSERT",
    "approval": "SELECT, UPDATE (state, decided_at, decided_by, reason, decision_message)",
    "dead_letter": "SELECT (dead_letter_id, tenant_id, conversation_id, message_id, reason, attempts, created_at)",
    "conversation_key": "SELECT",
    "audit_chain": "SELECT, INSERT, UPDATE (entries, head_hash)",
    "audit_entry": "SELECT, INSERT",
    "audit_detail": "SELECT, INSERT",
    "conversation_route": "SELECT, INSERT, UPDATE (account_id, own_address, own_group)",
    "channel_command": "SELECT, INSERT",
    "channel_suppression": "SELECT, INSERT, UPDATE (reason, since, lifted_at, lifted_reason)",
    "reply_conversation": "SELECT, INSERT, UPDATE (last_ordinal)",
    "reply_delivery": "SELECT, UPDATE (state, tries, next_at, queued_at, finished_at, receipt, receipt_code, "
    "receipt_at, receipt_told_at)",
    "reply_part": "SELECT (tenant_id, reply_id, number, batch, state, attempts, provider_id, status, status_rank, "
    "status_code, status_at), UPDATE (state, provider_id, status, status_rank, status_code, status_at)",
    "mail_message": "SELECT, INSERT",
    "mail_count": "SELECT, INSERT, UPDATE (messages)",
    "mail_token": "SELECT, INSERT, UPDATE (mail_hash)",
}
"""What an HTTP process may do with a table; one that is not listed it may not even read.

Messages come in through a function (`accept_proven_message`). What it writes beside that are acts of the desk of human
agents (`ops/desk`): who has a conversation, and what they say in it.
"""

POLICY: Final = "proven_tenant_only"

# Policies before grants: there is no moment in which the role has a right that nothing restricts. What this user does
# not own is not ours. A restrictive policy is an "and" to the policy that all roles have.
_RESTRICT: Final = """
DO $$
DECLARE
    v_table regclass;
BEGIN
    FOR v_table IN SELECT c.oid FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
            AND pg_has_role(c.relowner, 'USAGE')
            AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = {policy_name})
    LOOP
        EXECUTE format('CREATE POLICY {policy} ON %s AS RESTRICTIVE TO {role} '
            'USING (tenant_id = (SELECT proven_tenant()))', v_table);
    END LOOP;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {role}', current_schema());
END $$
"""


def statements() -> list[sql.Composed]:
    """Return the statements that restrict the role and then give it its rights; safe to repeat."""
    role = sql.Identifier(HTTP_ROLE)
    restrict = sql.SQL(_RESTRICT).format(role=role, policy=sql.Identifier(POLICY), policy_name=sql.Literal(POLICY))
    grants = [
        sql.SQL("GRANT {rights} ON {table} TO {role}").format(
            rights=sql.SQL(rights), table=sql.Identifier(table), role=role
        )
        for table, rights in RIGHTS.items()
    ]
    return [restrict, *grants]


def make_login(database_url: str, http_database_url: str) -> None:
    """Make the login that an address for HTTP processes names, or give it the address's password; as a superuser."""
    parts = urlsplit(http_database_url)
    login, password = sql.Identifier(parts.username or ""), sql.Literal(parts.password)
    with connect(database_url) as connection:
        try:
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {} IN ROLE {}").format(
                    login, password, sql.Identifier(HTTP_ROLE)
                )
            )
        except errors.DuplicateObject:
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(login, password))
