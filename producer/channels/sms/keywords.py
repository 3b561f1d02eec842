"""Tell commands to the channel from messages: STOP, START, HELP and MORE, alone in a message.

Twilio's own words for long codes; REVOKE and OPTOUT since the FCC's rule of April 2025. The provider answers STOP,
START and HELP itself, and calls the webhook all the same.
"""

from __future__ import annotations

from typing import Final, Literal

Command = Literal["stop", "start", "help", "more"]

STOP_WORDS: Final = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
START_WORDS: Final = frozenset({"start", "yes", "unstop"})
HELP_WORDS: Final = frozenset({"help", "info"})
MORE_WORDS: Final = frozenset({"more"})

_OF_PROVIDER: Final[dict[str, Command]] = {"STOP": "stop", "START": "start", "HELP": "help"}


def read_command(text: str, opt_out: str | None, *, is_suppressed: bool, has_more: bool) -> Command | None:
    """Return the command that a message is; None for an ordinary message.

    `opt_out` is the provider's own word, where it gives one: it knows words that an operator has chosen. Only a
    message that is one word is a command. START and YES are ordinary messages of a customer who has not opted out: a
    YES may be the consent to an offer. MORE is one of a customer for whom nothing waits.
    """
    if opt_out in _OF_PROVIDER:
        command = _OF_PROVIDER[opt_out]
        return command if command != "start" or is_suppressed else None
    word = text.strip().casefold()
    if word in STOP_WORDS:
        return "stop"
    if word in START_WORDS:
        return "start" if is_suppressed else None
    if word in HELP_WORDS:
        return "help"
    return "more" if word in MORE_WORDS and has_more else None
