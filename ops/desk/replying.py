"""Send a person's reply into a conversation: once, in order, and only to what the person has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ops.desk.acts import InvalidAct
from ops.desk.desk import ActRequest, DeskState
from runtime.encoding import dump_json, parse_json
from schema.ids import reply_id_of
from schema.messages.reply import REPLY_CHARACTERS_MAX
from worker.conversation.vault import Vault, find_placeholders
from worker.guardrails.cards import find_cards, find_ssns
from worker.guardrails.pii import mask_text, normalise
from worker.outbound.desk_replies import Words, add_reply, find_address, read_ground

if TYPE_CHECKING:
    from ops.desk.desk import Desk, DeskAct
    from ops.desk.roles import Who
    from schema.ids import ConversationKey

AGENT_CHARACTERS_MAX: Final = 64
"""Length of a reply's `agent`."""


@dataclass(frozen=True)
class LastSeen:
    """What a person had seen when they wrote: the desk's version, and the newest message's position."""

    desk_version: int
    position: int


@dataclass(frozen=True)
class SentReply:
    """A reply on its way: its id and sequence, and the conversation as it stands."""

    reply_id: str
    sequence: int
    state: DeskState
    is_new: bool
    """False: the same request was sent before, and this is what came of it."""


class Unsendable(InvalidAct):
    """A reply that must not be sent as it is written."""


async def reply(
    desk: Desk, who: Who, key: ConversationKey, text: str, *, seen: LastSeen, request_id: str | None = None
) -> SentReply:
    """Send a person's reply to everything that the customer wrote and no reply has answered.

    Placeholders in the text (`[CONFIRMATION_NUMBER_1]`) become the values that the conversation's vault has. The reply
    has the next sequence and goes out on the stream of the channel, like the bot's; `agent` is the person's name and
    `by_person` is true. With a `request_id` the same request is sent once, however often it comes.

    Raises Unsendable for what a reply must not hold, or without an address of the customer; SeenIsStale where the
    customer wrote or somebody did something meanwhile; and what `Desk.act` raises.
    """
    said = check_text(text)
    asked = ActRequest(desk_version=seen.desk_version, position=seen.position, request_id=request_id)
    async with desk.act(who, key, "reply", asked) as act:
        if not act.is_done:
            return await _sent_before(act, request_id)
        ground = await read_ground(act.transaction, key, seen.position)
        vault = Vault(parse_json(desk.sealer.open(ground["vault"])) if ground["vault"] else {})
        check_placeholders(said, vault)
        address = find_address(ground, desk.sealer)
        if address is None:
            raise Unsendable(f"no address of the customer of {key.conversation} is known; wait for their next message")
        words = Words(vault.render(said), agent=act.actor.name[:AGENT_CHARACTERS_MAX], by=act.actor.name)
        made = await add_reply(act.transaction, desk.sealer, key, words, ground=ground, address=address, now=act.now)
        kept = mask_reply(said, vault)
        item: dict[str, Any] = {"role": "assistant", "content": kept}
        own = desk.sealer.with_kept_key(ground["sealed_key"])  # a turn makes a conversation's key
        await act.transaction.run("keep_desk_vault", vault=own.seal(dump_json(vault.entries)), **act.names)
        await act.transaction.run("add_desk_item", item=dump_json(own.seal_item(item)), **act.names)
        return SentReply(made.reply_id, made.sequence, act.state, is_new=True)


def check_text(text: str) -> str:
    """Return a reply's text as it is sent. Raises Unsendable for one empty or long, for card numbers and SSNs."""
    said = text.strip()
    if not said or len(said) > REPLY_CHARACTERS_MAX:
        raise Unsendable(f"a reply has 1 to {REPLY_CHARACTERS_MAX} characters, not {len(said)}")
    plain = normalise(said)
    kinds = [
        name
        for name, find in (("a card number", find_cards), ("a social security number", find_ssns))
        if any(True for _ in find(plain))
    ]
    if kinds:
        raise Unsendable(f"the reply holds {' and '.join(kinds)}, which leave this place by no reply; take it out")
    return said


def check_placeholders(text: str, vault: Vault) -> None:
    """Raise Unsendable for placeholders that the vault has no value for: the customer would read them as they stand."""
    unknown = sorted({found.written for found in find_placeholders(text) if vault.open(found.written) is None})
    if unknown:
        known = ", ".join(sorted(vault.entries)) or "none"
        raise Unsendable(f"nothing is known for {', '.join(unknown)}; this conversation has {known}")


def mask_reply(text: str, vault: Vault) -> str:
    """Return a person's text as the history keeps it: what is private becomes a placeholder."""
    parts: list[str] = []
    position = 0
    for found in find_placeholders(text):
        parts += [mask_text(normalise(text[position : found.start]), vault).text, found.written]
        position = found.end
    return "".join([*parts, mask_text(normalise(text[position:]), vault).text])


async def _sent_before(act: DeskAct, request_id: str | None) -> SentReply:
    rows = await act.transaction.run("find_desk_request", request_id=request_id, **act.names)
    if not rows or rows[0]["sequence"] is None:
        raise InvalidAct(f"the request id {request_id} was used for another act of this conversation; make a new one")
    sequence: int = rows[0]["sequence"]
    return SentReply(reply_id_of(act.key, sequence), sequence, act.state, is_new=False)
