"""Guard: normalise the message, move secrets into the vault, and let nobody after this step see raw text."""

from __future__ import annotations

from dataclasses import dataclass

from schema.messages import Inbound
from worker.agents.context import AirlineAgentContext
from worker.guardrails.pii import mask_text, normalise
from worker.guardrails.vault import Vault

_NOTHING_VISIBLE = "(a message without visible text)"


@dataclass(frozen=True)
class Guarded:
    """Hold a message that is safe to show: masked text, the vault that grew by it, and the context that says so."""

    text: str
    vault: Vault
    context: AirlineAgentContext


def guard(inbound: Inbound, context: AirlineAgentContext, vault_entries: dict[str, str]) -> Guarded:
    """Mask a customer's message; deterministic and blocking.

    Fails closed: what the detection raises ends the turn. An e-mail's subject is read before its text, unless the text
    begins with it.
    """
    vault = Vault(vault_entries)
    masked = mask_text(normalise(_readable(inbound)), vault)
    found = sorted({*context.pii_detected, *masked.types})
    return Guarded(
        text=masked.text.strip() or _NOTHING_VISIBLE,
        vault=vault,
        context=context.model_copy(
            update={
                "turn_count": context.turn_count + 1,
                "contains_pii": bool(found),
                "pii_detected": found,
            },
            deep=True,
        ),
    )


def _readable(inbound: Inbound) -> str:
    subject = (inbound.subject or "").strip()
    if subject and not inbound.text.lstrip().startswith(subject):
        return f"{subject}\n\n{inbound.text}"
    return inbound.text
