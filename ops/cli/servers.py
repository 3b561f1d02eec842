"""Find the servers a command works on: those in the settings, else the embedded stack that runs on the state folder."""

from __future__ import annotations

from typing import Any

from ops.embedded import read_running_stack
from runtime.configuration import load_settings
from runtime.telemetry.logs import configure_logs
from schema.errors import FteError
from schema.settings import Settings


class NoServers(FteError):
    """A command finds no servers: no addresses are set, and no embedded stack runs."""

    def __init__(self) -> None:
        super().__init__("no servers: start fte up, or set FTE_DATABASE_URL and FTE_REDIS_URL")


def load_command_settings(*, breaks_servers: bool = False, **overrides: Any) -> Settings:
    """Load the settings, and log warnings as plain text, for the person at the terminal.

    Logs errors alone where the command `breaks_servers`, since outages are expected then. `overrides` win over the
    environment. Raises InvalidSettings.
    """
    settings = load_settings(**overrides)
    level = "error" if breaks_servers else "warning"
    configure_logs(settings.model_copy(update={"log_format": "console", "log_level": level}))
    return settings


def find_servers(**overrides: Any) -> Settings:
    """Load the settings with the servers' addresses filled in; `overrides` win over the environment.

    Raises InvalidSettings, or NoServers.
    """
    settings = point_at_servers(load_command_settings(**overrides))
    if settings is None:
        raise NoServers
    return settings


def point_at_servers(settings: Settings) -> Settings | None:
    """Return the settings with the addresses of the stack on the state folder, unless they have their own.

    None when there is neither.
    """
    if settings.database_url is not None:
        return settings
    running = read_running_stack(settings.state_dir)
    if running is None:
        return None
    return settings.model_copy(update=running.as_settings())
