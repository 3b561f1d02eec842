"""Decide what a relay's refusal means: tried again, the address is dead, a person has to know, or the account stops."""

from __future__ import annotations

import re
from typing import Final, Literal

from producer.channels.email.reports import DEAD_ADDRESS
from producer.delivery.reply_channel import SendOutcome

Phase = Literal["connect", "login", "sender", "recipient", "content"]
"""What a relay was asked when it refused, was lost or kept silent; before `content` it surely has no mail."""

GREYLIST_SECONDS: Final = 60.0
"""How long a mail waits at least that a relay does not want yet: greylisting asks for a minute or more."""

PAUSE_SECONDS: Final = 30.0
"""How long nothing is sent by an account whose relay cannot be reached, or has said that it is not available."""

TLS_PAUSE_SECONDS: Final = 300.0
"""How long nothing is sent by an account whose relay could not be trusted."""

_ENHANCED: Final = re.compile(r"(?:^|\n)\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)")
_NOT_AVAILABLE: Final = 421
_LOGIN_NEEDED: Final = 530
_TOO_LARGE: Final = 552
_PERMANENT: Final = 500

_ASKED: Final[dict[Phase, str]] = {
    "connect": "the relay did not greet us",
    "login": "the relay refused the login",
    "sender": "the relay refused our sender's address",
    "recipient": "the relay refused the recipient",
    "content": "the relay refused the mail",
}


def judge_refusal(phase: Phase, code: int, text: str) -> SendOutcome:
    """Return what follows a refusal; its text is looked at for an enhanced code, and never repeated."""
    status = read_status(text)
    shown = f"{code} {status}" if status else str(code)
    reason = f"{_ASKED[phase]}: {shown}"
    if code == _NOT_AVAILABLE or (phase == "connect" and code != _LOGIN_NEEDED):
        return SendOutcome("retry", code=shown, reason=reason, pause_seconds=PAUSE_SECONDS)
    if code < _PERMANENT:
        return SendOutcome("retry", code=shown, reason=reason, after_seconds=GREYLIST_SECONDS)
    if phase == "login" or code == _LOGIN_NEEDED:
        return SendOutcome("stopped", code=shown, reason=f"{reason}; mend its user or password, then enable it again")
    if phase == "sender" and code != _TOO_LARGE:
        return SendOutcome("stopped", code=shown, reason=f"{reason}; let it send for the account's domain")
    if status in DEAD_ADDRESS:
        return SendOutcome("suppressed", code=shown, reason=f"{reason}: there is no such address")
    return SendOutcome("failed", code=shown, reason=reason)


def judge_loss(phase: Phase, reason: str) -> SendOutcome:
    """Return what follows a connection that was lost or silent: only after the content may the relay have the mail."""
    if phase == "content":
        return SendOutcome(
            "unknown", code="lost", reason=f"{reason} after the mail was sent; it is sent again unchanged"
        )
    pause = PAUSE_SECONDS if phase == "connect" else 0.0
    return SendOutcome("retry", code="unreachable", reason=reason, pause_seconds=pause)


def judge_distrust(reason: str) -> SendOutcome:
    """Return what follows a connection that could not be encrypted to the relay that was meant; nothing was sent."""
    return SendOutcome("retry", code="tls", reason=reason, pause_seconds=TLS_PAUSE_SECONDS)


def read_status(text: str) -> str | None:
    """Return the enhanced status code (RFC 3463) that a relay's answer begins with, on any of its lines."""
    found = _ENHANCED.search(text)
    return found[1] if found else None
