"""The role of HTTP processes: few rights, on one tenant at a time, and only with that tenant's proof.

A statement under `fte_app` sees whatever tenant it names, and every tenant as `*`. That is right for workers, whose
statements are all written here. A process that strangers reach must not depend on that: under `fte_http` a statement
sees the rows of the tenant that it names (`fte.tenant`) only with the proof of that tenant (`fte.proof`), which
PostgreSQL gives out for an API key alone, and never for `*`.
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
    "conversation": "SELECT",
    "conversation_sender": "SELECT",
    "inbox": "SELECT",
    "session_item": "SELECT",
    "turn": "SELECT",
    "ticket": "SELECT",
    "outbox": "SELECT",
    "dead_letter": "SELECT (dead_letter_id, tenant_id, conversation_id, message_id, reason, attempts, created_at)",
}
"""What an HTTP process may do with a table; one that is not listed it may not even read.

Messages come in through a function (`accept_proven_message`), so it writes no conversation itself.
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
