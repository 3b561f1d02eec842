"""What is said of a conversation that its tenant does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.errors import FteError

if TYPE_CHECKING:
    from schema.ids import ConversationKey


class UnknownConversation(FteError):
    """A conversation that its tenant does not have: nobody ever sent a message in it."""

    def __init__(self, key: ConversationKey) -> None:
        super().__init__(f"no conversation {key.conversation} of tenant {key.tenant}; see --tenant")
        self.key = key
