"""Load settings from the environment, and report everything that is wrong with them at once."""

from __future__ import annotations

import os
import re
from typing import Any, TypeVar

from cryptography.fernet import Fernet
from pydantic import SecretStr, TypeAdapter, ValidationError
from pydantic_settings import SettingsError

from runtime.sealing import Sealer
from runtime.server_addresses import find_database_url_problem, find_redis_url_problem
from schema.errors import InvalidSettings
from schema.settings import Settings
from schema.settings.sealing import SealingSettings
from schema.settings.servers import ServerSettings

_KEY_FILE = "vault.key"

ServersOf = TypeVar("ServersOf", bound=ServerSettings)


def load_settings(**overrides: Any) -> Settings:
    """Read the `FTE_…` variables; `overrides` win over them.

    Raises InvalidSettings listing every wrong variable by name, and every `FTE_…` variable that names no setting.
    """
    problems = [f"{name}: no such setting" for name in sorted(os.environ) if _is_unknown(name)]
    settings = None
    try:
        settings = Settings(**overrides)
        problems += _find_address_problems(settings)
        Sealer([key.get_secret_value() for key in settings.vault_keys] or [Fernet.generate_key().decode()])
    except ValidationError as error:
        problems += [_describe(detail) for detail in error.errors(include_url=False)]
    except SettingsError as error:
        problems.append(str(error))
    except ValueError as error:
        problems.append(f"FTE_VAULT_KEYS: {error}; make one with `fte key`")
    if problems or settings is None:
        raise InvalidSettings(problems)
    return settings


def settings_for_http(settings: ServersOf) -> ServersOf:
    """Return the settings of an HTTP process: its PostgreSQL is FTE_HTTP_DATABASE_URL, where that is set.

    `runtime.startup.check_fence` says whether the login there is held to one tenant at a time.
    """
    if settings.http_database_url is None:
        return settings
    return settings.model_copy(update={"database_url": settings.http_database_url})


def open_sealer(settings: SealingSettings) -> Sealer:
    """Return this deployment's sealer: keys from the settings, else from the state folder, where one is made if needed.

    Raises InvalidSettings when the state folder cannot be written.
    """
    if settings.vault_keys:
        keys = [key.get_secret_value() for key in settings.vault_keys]
        return Sealer(keys, by_conversation=settings.conversation_keys)
    path = settings.state_dir / _KEY_FILE
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            # Two processes may start at once: each writes its own file, and only one of them can link it to the path.
            draft = path.with_suffix(f".{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_bytes(Fernet.generate_key())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return Sealer([path.read_text(encoding="utf-8").strip()], by_conversation=settings.conversation_keys)
    except OSError as error:
        raise InvalidSettings([f"FTE_STATE_DIR: {error}; set it to a writable folder, or set FTE_VAULT_KEYS"]) from None
    except ValueError as error:
        raise InvalidSettings([f"{path}: {error}"]) from None


# Variables that Kubernetes sets in every pod of a namespace for a Service `fte` or `fte-…`.
_SERVICE_LINK = re.compile(
    r"FTE_(?:.*_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.+)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_SERVICE_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")


def _is_unknown(name: str) -> bool:
    return name.startswith("FTE_") and name not in setting_names() and not _is_service_link(name)


def _is_service_link(name: str) -> bool:
    if name == "FTE_PORT" or name.endswith("_PORT"):
        return _SERVICE_ADDRESS.match(os.environ[name]) is not None or _SERVICE_LINK.fullmatch(name) is not None
    return _SERVICE_LINK.fullmatch(name) is not None


def _find_address_problems(settings: ServerSettings) -> list[str]:
    looked_at = (
        ("FTE_DATABASE_URL", settings.database_url, find_database_url_problem),
        ("FTE_HTTP_DATABASE_URL", settings.http_database_url, find_database_url_problem),
        ("FTE_REDIS_URL", settings.redis_url, find_redis_url_problem),
    )
    found = ((name, find(url)) for name, url, find in looked_at if url is not None)
    return [f"{name}: {problem}" for name, problem in found if problem is not None]


def setting_names() -> dict[str, str]:
    """Map each environment variable to the field of `Settings` that it sets."""
    names = {}
    for field, info in Settings.model_fields.items():
        alias = info.validation_alias
        names[alias if isinstance(alias, str) else f"FTE_{field.upper()}"] = field
    return names


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the variables from which another process loads the same settings: all but those left at their default."""
    given = settings.model_fields_set
    return {name: _as_variable(getattr(settings, field)) for name, field in setting_names().items() if field in given}


def _as_variable(value: Any) -> str:
    """Return a setting's value as a variable has it: lists with commas, tables as JSON, nothing for None."""
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case list() | tuple():
            return ",".join(map(_as_variable, value))
        case dict():
            return TypeAdapter(Any).dump_json(value).decode()
        case _:
            return str(value)


def _describe(detail: Any) -> str:
    variables = {field: name for name, field in setting_names().items()}
    message = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return message
    name = str(detail["loc"][0])
    variable = variables.get(name, name)
    within = "".join(f"{part}." for part in detail["loc"][1:])
    if within:
        return f"{variable}: {within[:-1]}: {message}"
    shown = f"={detail.get('input')}" if _NUMBER.fullmatch(str(detail.get("input"))) and _is_a_number(name) else ""
    return f"{variable}{shown}: {message}"


_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,6})?")


def _is_a_number(field: str) -> bool:
    """Check whether a setting is a plain number: only such a value is known to be harmless, so only it is shown.

    Any other value of a wrong setting may be a secret, pasted there whole or in part.
    """
    info = Settings.model_fields.get(field)
    return info is not None and info.annotation in (int, float)
