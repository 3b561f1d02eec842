"""Errors between processes, as conditions that carry their data."""

from __future__ import annotations


class FteError(Exception):
    """Base class of every error that this product raises on purpose."""


class InvalidMessage(FteError):
    """Raised by `send` for a message with a field that breaks its limit. Nothing was stored."""

    def __init__(self, field: str, value: str, limit: str) -> None:
        super().__init__(f"{field}: {value}; {limit}")
        self.field = field
        self.value = value
        self.limit = limit


class MailboxFull(FteError):
    """Raised by `send` when the conversation holds as many unanswered messages as allowed."""

    def __init__(self, conversation: str, waiting: int, waiting_max: int, retry_after_seconds: int) -> None:
        super().__init__(
            f"conversation {conversation} has {waiting} unanswered messages, at most {waiting_max} "
            f"(FTE_MAILBOX_MESSAGES_MAX); send again in {retry_after_seconds} s"
        )
        self.waiting = waiting
        self.waiting_max = waiting_max
        self.retry_after_seconds = retry_after_seconds


class Overloaded(FteError):
    """Raised by `send` when all conversations, or its tenant's, hold as many unanswered messages as allowed."""

    def __init__(self, waiting: int, waiting_max: int, retry_after_seconds: int, *, tenant: str | None = None) -> None:
        whose = f" of tenant {tenant}" if tenant else ""
        setting = "FTE_TENANT_BACKLOG_MESSAGES_MAX" if tenant else "FTE_BACKLOG_MESSAGES_MAX"
        super().__init__(
            f"{waiting} messages{whose} are unanswered, at most {waiting_max} ({setting}); "
            f"send again in {retry_after_seconds} s, or start more workers"
        )
        self.tenant = tenant
        """The tenant whose limit is reached; None: the limit of all tenants together."""
        self.waiting = waiting
        self.waiting_max = waiting_max
        self.retry_after_seconds = retry_after_seconds


class UnknownTenant(FteError):
    """Raised by `send` when no such tenant is set up."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"no tenant {tenant!r}; `fte migrate` makes `default`, `fte tenant create NAME` another")
        self.tenant = tenant


class TenantSuspended(FteError):
    """Raised for what comes in for a tenant that an operator has suspended. Turns that are under way end."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"tenant {tenant!r} is suspended; an operator lifts that with `fte tenant resume {tenant}`")
        self.tenant = tenant


class ServerUnreachable(FteError):
    """PostgreSQL or Redis does not answer: its address without the password, and the setting to change."""

    def __init__(self, server: str, address: str, setting: str, reason: str) -> None:
        super().__init__(f"{server} at {address} is unreachable ({reason}); start it or change {setting}")
        self.server = server
        self.address = address
        self.setting = setting


class ServerUnfit(FteError):
    """PostgreSQL or Redis answers but cannot be used: rights are missing, or it is of the wrong kind."""

    def __init__(self, server: str, address: str, problems: list[str], remedy: str) -> None:
        super().__init__(f"{server} at {address} will not do: {'; '.join(problems)}. The way out: {remedy}")
        self.server = server
        self.address = address
        self.problems = problems


class SchemaOutdated(FteError):
    """The database lacks migrations that this release needs."""

    def __init__(self, found: int, needed: int) -> None:
        super().__init__(f"the database is at migration {found}, this release needs {needed}; run `fte migrate`")
        self.found = found
        self.needed = needed


class InvalidSettings(FteError):
    """Wrong settings, all of them named at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("wrong settings:\n" + "\n".join(f"  {problem}" for problem in problems))
        self.problems = problems


class Unsealable(FteError):
    """Sealed bytes cannot be opened with the keys at hand: sealed with another key, or damaged."""
