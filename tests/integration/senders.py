"""Write into one conversation as anybody, and see what an answer reveals of Ada, who has a booking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schema.channels import Channel
    from tests.integration.worker_harness import Harness

ADA = "ada.okafor@example.com"
HELLO = "I'm Ada Okafor, my confirmation number is QK7P2M, call me on +1 202 555 0177. Please move me to a window seat."
OF_ADA = ("QK7P2M", "Okafor", "LF118", "14C", "555 0177", "5550177")
"""What only Ada may read: her number, name, flight, seat and telephone."""


def reveals(text: str) -> list[str]:
    return [value for value in OF_ADA if value in text]


class Mail:
    """Write into one conversation as anybody, and read what they are answered."""

    def __init__(self, desk: Harness, conversation: str = "thread") -> None:
        self.desk = desk
        self.conversation = conversation

    async def say(self, sender: str, text: str, channel: Channel = "email", **how: Any) -> str:
        await self.desk.accept(self.conversation, text, sender=sender, channel=channel, **how)
        await self.desk.drain(self.conversation)
        return str((await self.written(channel))[-1]["text"])

    async def written(self, channel: Channel = "email") -> list[dict[str, Any]]:
        stream = f"fte:out:{{{self.desk.tenant}}}:replies:{channel}"
        return [e["body"] for e in await self.desk.entries(stream) if e["body"]["conversation"] == self.conversation]

    async def context(self) -> dict[str, Any]:
        rows = await self.desk.query("SELECT context FROM conversation WHERE conversation_id = %s", self.conversation)
        return dict(rows[0]["context"])
