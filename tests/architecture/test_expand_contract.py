"""Hold migrations to "expand, then contract": each is applied while workers of the release before are at work."""

from __future__ import annotations

import pytest

from schema.resources import Migration, load_migrations
from tests.architecture.contracting import Breach, find_breaches, unanswered
from tests.architecture.test_resources import header

FIRST = 1
"""It makes the database: there is no release before it."""


@pytest.mark.parametrize("migration", load_migrations(), ids=lambda migration: migration.name)
def test_a_migration_is_safe_beside_the_release_before_or_says_why_nobody_is_left_to_mind(migration: Migration) -> None:
    found = unanswered(migration.sql, header(migration.sql)) if migration.number > FIRST else []

    assert found == [], "expand now and contract a release later, or answer for it in the header (docs/development.md)"


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE greeting",
        "DROP FUNCTION IF EXISTS move_to_seat(bigint, smallint)",
        "DROP VIEW booking; CREATE VIEW booking AS SELECT 1",
        "DROP TABLE span; CREATE TABLE span (id bigint)",
        "ALTER TABLE turn DROP COLUMN verdicts",
        "ALTER TABLE turn DROP verdicts",
        "ALTER TABLE turn ADD COLUMN a text, DROP COLUMN agent",
        'ALTER TABLE "turn" ALTER "attempts" TYPE bigint',
        "ALTER TABLE turn RENAME COLUMN agent TO speaker",
        "ALTER FUNCTION commit_turn RENAME TO commit",
        "ALTER TABLE turn ALTER COLUMN attempts TYPE bigint",
        "alter table turn alter attempts set data type bigint",
        "ALTER TABLE turn ALTER COLUMN agent SET NOT NULL",
        "ALTER TABLE turn ALTER COLUMN timings DROP DEFAULT",
        "ALTER TABLE turn ADD COLUMN release text NOT NULL",
        "ALTER TABLE turn\n    ADD COLUMN a text,  -- DEFAULT\n    ADD release text NOT NULL",
        "ALTER TYPE reservation_offer ADD ATTRIBUTE reason text",
        "ALTER TABLE span SET SCHEMA aside",
        "TRUNCATE span",
        "DELETE FROM journal",
        "REVOKE SELECT ON turn FROM fte_app",
        "DO $$ BEGIN IF true THEN ALTER TABLE turn DROP COLUMN agent; END IF; END $$",
        "DO $$ BEGIN EXECUTE format('ALTER TABLE %I DROP COLUMN agent', 'turn'); END $$",
        "DO $$ BEGIN EXECUTE format($x$ALTER TABLE %I DROP COLUMN agent$x$, 'turn'); END $$",
    ],
)
def test_what_takes_something_away_says_since_when_nobody_needs_it(sql: str) -> None:
    assert [breach.answer for breach in find_breaches(sql)] == ["Contracts"]
    assert unanswered(sql, "Contracts: nobody needs it\nsince 0.2.") == []
    assert unanswered(sql, "Contracts: nobody needs it.") != []
    assert unanswered(sql, "Expands only: nobody needs it since 0.2.") != []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE turn ADD CONSTRAINT turn_has_an_agent CHECK (agent IS NOT NULL)",
        "ALTER TABLE turn ADD CHECK (attempts > 0)",
        "ALTER TABLE turn ADD FOREIGN KEY (tenant_id) REFERENCES tenant NOT VALID",
        "ALTER TABLE turn ADD COLUMN token text UNIQUE",
        "CREATE UNIQUE INDEX turn_started ON turn (started_at)",
        "ALTER TABLE article ALTER COLUMN updated_on DROP NOT NULL",
        "CREATE TRIGGER refuse BEFORE INSERT ON turn EXECUTE FUNCTION refuse()",
        "ALTER TABLE deployment ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY tenant_only ON deployment USING (true)",
    ],
)
def test_what_asks_more_of_rows_says_why_those_of_the_release_before_are_like_that(sql: str) -> None:
    assert [breach.answer for breach in find_breaches(sql)] == ["Expands only"]
    assert unanswered(sql, "Expands only: the release before writes none of it.") == []
    assert unanswered(sql, "Expands only:") != []
    assert unanswered(sql, "Contracts: nobody since 0.2") != []


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE greeting (id bigint NOT NULL UNIQUE, CHECK (id > 0)); CREATE UNIQUE INDEX g ON greeting (id)",
        "CREATE TABLE greeting (id bigint); ALTER TABLE greeting ENABLE ROW LEVEL SECURITY; DROP TABLE greeting",
        "ALTER TABLE turn ADD COLUMN release text",
        "ALTER TABLE turn ADD COLUMN tries integer NOT NULL DEFAULT 0 CONSTRAINT tries_not_negative CHECK (tries >= 0)",
        "ALTER TABLE turn ADD COLUMN hash text NOT NULL GENERATED ALWAYS AS (md5(agent)) STORED",
        "CREATE INDEX turn_started ON turn (started_at)",
        "CREATE OR REPLACE FUNCTION clear() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM span; END $$",
        "CREATE TYPE offer AS (id bigint)",
        "ALTER TYPE mood ADD VALUE 'grim'",
        "UPDATE turn SET agent = 'DROP TABLE turn; ALTER TABLE turn RENAME TO x'",
        "UPDATE turn SET agent = ''  -- DROP TABLE turn\n /* DROP TABLE turn; */",
        "ALTER TABLE turn ALTER COLUMN timings SET DEFAULT '{}'",
    ],
)
def test_what_only_adds_needs_no_answer(sql: str) -> None:
    assert find_breaches(sql) == []


def test_each_clause_is_answered_for_by_its_own_word() -> None:
    sql = "ALTER TABLE turn ADD COLUMN a text, DROP COLUMN agent, ADD CHECK (attempts > 0)"

    found = find_breaches(sql)

    assert found == [Breach("DROP COLUMN agent", "Contracts"), Breach("ADD CHECK (attempts > 0)", "Expands only")]
    assert unanswered(sql, "Contracts: nobody reads it since 0.2.") == found[1:]
