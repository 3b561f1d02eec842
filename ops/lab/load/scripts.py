"""Make up customers: who they are, what they want, and what they write, the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.channels import Channel

Kind = Literal["faq", "seat_change", "small_talk", "angry", "off_topic", "card_number"]

KIND_WEIGHTS: dict[Kind, int] = {
    "faq": 40,
    "seat_change": 28,
    "small_talk": 10,
    "angry": 8,
    "off_topic": 6,
    "card_number": 8,
}
"""Weight of each kind of conversation, of 100: mostly questions and bookings, as airlines report."""


@dataclass(frozen=True, slots=True)
class BookingAccess:
    """What a customer knows of an existing booking."""

    confirmation_number: str
    first_name: str
    surname: str


@dataclass(frozen=True, slots=True)
class Script:
    """The messages of one customer, in order, whatever the replies."""

    kind: Kind
    channel: Channel
    sender: str
    subject: str | None
    texts: tuple[str, ...]


_HOT_NUMBER = 9_000_000
"""Number of the first customer of a hot conversation: nobody else has its address."""

# Used when no bookings are given: well-formed, and known to no airline.
_STRANGERS = (
    BookingAccess("Q7W2E4", "Sam", "Keller"),
    BookingAccess("K4P9T1", "Nina", "Holm"),
    BookingAccess("R3V8X6", "Leo", "Marsh"),
)

_QUESTIONS = (
    "How many bags can I bring on my flight?",
    "What does a checked bag over 50 lbs cost?",
    "is there wifi on board?",
    "Can I cancel my ticket and get my money back?",
    "How late can I cancel without paying a fee?",
    "Do I have to wear a mask or be vaccinated?",
    "Which seats are premium and what do they cost?",
    "Can I bring my cat in the cabin?",
    "When does online check-in open?",
    "My daughter is 9 and flies alone. What do I need to arrange?",
    "Do you serve vegetarian meals?",
    "there's a typo in my name on the ticket, how do i get it corrected?",
    "Can I take a power bank in my carry-on?",
    "How much liquid may I have in my hand luggage?",
    "Can I bring skis, and do they count as a bag?",
    "What do I get if my flight is delayed for hours?",
    "Is my non-refundable ticket worth anything if I can't travel?",
    "How early should I be at the airport?",
    "Can I use a gift card to pay for baggage?",
    "How do I get a receipt for my trip?",
)
_SEAT_WISHES = (
    "Hi, I'd like to change my seat please.",
    "can i move to a different seat on my flight",
    "Hello! I was given a middle seat, I would prefer another one.",
    "Please change my seat.",
)
_SEAT_PREFERENCES = (
    "A window seat please.",
    "aisle if possible",
    "Somewhere at the window, far in front if you can.",
    "I don't mind, anything but the middle.",
)
_SMALL_TALK = (
    "Hello!",
    "good morning, anybody there?",
    "Hi, how are you today?",
    "Thanks, that is kind of you.",
    "Great, thank you!",
    "ok",
    "Have a nice day",
)
_ANGER = (
    "This is the third time I write. NOBODY answers. This is unacceptable!",
    "Your airline lost my suitcase and you do nothing about it. I want to talk to a person NOW.",
    "I have been waiting for my refund of $740 for two months. This is ridiculous.",
    "My flight was cancelled an hour before departure and I slept on the floor. What are you going to do about that?",
)
_STILL_ANGRY = ("And? I am still waiting.", "I want a human being.", "This is no help at all.")
_OFF_TOPIC = (
    "Can you write me a poem about autumn?",
    "What is the capital of Australia?",
    "Help me with my Python homework: how do I sort a list?",
    "Give me a recipe for pancakes",
)
# Numbers that payment companies publish for testing; they pass the Luhn check and belong to nobody.
_CARD_NUMBERS = ("4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005")
_CARD_TEXTS = (
    "I want to pay for an extra bag, my card is {card}.",
    "Please charge the seat to {card}, thanks",
    "card number {card} exp 12/29. How much is a checked bag?",
)
_GOODBYES = ("Thanks!", "Thank you, bye.", "ok great", "That is all, thanks.")


def make_scripts(
    seed: int, conversations: int, turns: int, *, channels: Sequence[Channel], bookings: Sequence[BookingAccess] = ()
) -> list[Script]:
    """Return `conversations` customers who write `turns` messages each.

    `bookings` are those that customers with a seat to change ask about; without any, they name unknown bookings.
    """
    chance = random.Random(seed)  # noqa: S311 - made-up customers
    known = tuple(bookings) or _STRANGERS
    return [_make_script(chance, number, turns, chance.choice(channels), known) for number in range(conversations)]


def make_hot_scripts(seed: int, conversations: int, turns: int, *, channels: Sequence[Channel]) -> list[Script]:
    """Return customers who ask one question after the other, `turns` in all: nothing in them needs a person."""
    chance = random.Random(f"hot {seed}")  # noqa: S311 - made-up customers
    scripts = []
    for number in range(conversations):
        channel = chance.choice(channels)
        sender, subject = _address(_HOT_NUMBER + number, channel)
        scripts.append(Script("faq", channel, sender, subject, tuple(chance.choices(_QUESTIONS, k=turns))))
    return scripts


def _make_script(
    chance: random.Random, number: int, turns: int, channel: Channel, bookings: Sequence[BookingAccess]
) -> Script:
    kind = chance.choices(list(KIND_WEIGHTS), list(KIND_WEIGHTS.values()))[0]
    booking = chance.choice(bookings)
    texts = _open(chance, kind, booking)[:turns]
    while len(texts) < turns:
        texts.append(chance.choice(_GOODBYES if len(texts) == turns - 1 else _QUESTIONS))
    return Script(kind, channel, *_address(number, channel), tuple(texts))


def _address(number: int, channel: Channel) -> tuple[str, str | None]:
    """Return the customer's address on a channel, and the subject of what is written there."""
    if channel == "email":
        return f"customer{number}@example.com", "Question about my trip"
    return f"+1555{number % 10_000_000:07d}", None


def _open(chance: random.Random, kind: Kind, booking: BookingAccess) -> list[str]:
    """Return the messages with which a conversation of this kind begins."""
    if kind == "seat_change":
        return [
            chance.choice(_SEAT_WISHES),
            f"My name is {booking.first_name} {booking.surname}, confirmation number {booking.confirmation_number}",
            chance.choice(_SEAT_PREFERENCES),
            chance.choice(("The first one you offer is fine.", "Take the cheapest.", "Whichever is free.")),
            chance.choice(("yes", "Yes please, go ahead.", "No, leave it as it is.")),
        ]
    if kind == "small_talk":
        return [chance.choice(_SMALL_TALK) for _ in range(2)]
    if kind == "angry":
        return [chance.choice(_ANGER), chance.choice(_STILL_ANGRY)]
    if kind == "off_topic":
        return [chance.choice(_OFF_TOPIC)]
    if kind == "card_number":
        return [chance.choice(_CARD_TEXTS).format(card=chance.choice(_CARD_NUMBERS))]
    return [chance.choice(_QUESTIONS)]
