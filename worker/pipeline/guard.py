"""Guard: normalise the messages, move secrets into the vault, and let nobody after this step see raw text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from schema.messages.inbound import Inbound
from worker.conversation.context import AirlineAgentContext
from worker.conversation.vault import Vault
from worker.guardrails.pii import mask_text, normalise

_NOTHING_VISIBLE = "(a message without visible text)"


@dataclass(frozen=True)
class Guarded:
    """Messages that are safe to show: masked texts, the vault that grew by them, the context that says so."""

    texts: tuple[str, ...]
    vault: Vault
    context: AirlineAgentContext

    @property
    def text(self) -> str:
        """Return all texts as one, as a model reads them."""
        return "\n\n".join(self.texts)


def guard(messages: Sequence[Inbound], context: AirlineAgentContext, vault_entries: dict[str, str]) -> Guarded:
    """Mask a customer's messages, each by itself; deterministic and blocking.

    Fails closed: what the detection raises ends the turn. An e-mail's subject is read before its text, unless the text
    begins with it.
    """
    vault = Vault(vault_entries)
    masked = [mask_text(normalise(_readable(message)), vault) for message in messages]
    found = sorted({*context.pii_detected, *(kind for each in masked for kind in each.types)})
    return Guarded(
        texts=tuple(each.text.strip() or _NOTHING_VISIBLE for each in masked),
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
