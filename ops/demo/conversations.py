"""The sample conversations: what each customer writes, and the outcome that is expected."""

from __future__ import annotations

from dataclasses import dataclass, field

from schema.channels import Channel

CARD_NUMBER = "4111 1111 1111 1111"
"""The payment industry's well-known test number; it passes the Luhn check, so it is taken for a card's."""

SEAT_PLACEHOLDER = "{seat}"
"""Placeholder of a free window seat, chosen when the demo starts: on a shared database it is not always the same."""

SEAT_CONFIRMATION_NUMBER = "DEMO42"
"""The sample booking whose seat is changed."""


@dataclass(frozen=True)
class SampleConversation:
    """One conversation from the customer's side; each message waits for the reply to the one before."""

    name: str
    title: str
    customer: str
    channel: Channel
    sender: str
    messages: tuple[str, ...]
    subject: str | None = None
    escalates: bool = False
    sent_twice: bool = False
    """Whether the gateway delivers the first message twice, as gateways do after a time-out."""
    answer_holds: tuple[str, ...] = field(default=())
    """Texts that the last reply must contain."""


SCRIPTS: tuple[SampleConversation, ...] = (
    SampleConversation(
        name="baggage",
        title="A question by e-mail, delivered twice",
        customer="Maya Chen",
        channel="email",
        sender="maya.chen@example.com",
        subject="Checked bag",
        messages=("Hello, what do I pay for a suitcase of 60 lbs? Best regards, Maya",),
        sent_twice=True,
        answer_holds=("$50", "Source:"),
    ),
    SampleConversation(
        name="seat",
        title="A seat change by text message",
        customer="Ada Okafor",
        channel="sms",
        sender="+14155550142",
        messages=(
            "Hi, can I move to a window seat?",
            f"I'm Ada Okafor, my confirmation number is {SEAT_CONFIRMATION_NUMBER}",
            f"Could I have {SEAT_PLACEHOLDER} instead?",
            "Yes, go ahead",
        ),
        answer_holds=(SEAT_PLACEHOLDER,),
    ),
    SampleConversation(
        name="two-questions",
        title="Two questions in one, and a third that leans on them",
        customer="Priya Nair",
        channel="chat",
        sender="priya.nair",
        messages=(
            "How much is a second checked bag, and may my cat travel in the cabin?",
            "And my big dog, in the hold?",
        ),
        answer_holds=("Source: Pets",),
    ),
    SampleConversation(
        name="correction",
        title="A wish that is corrected",
        customer="Nadia Kowalczyk",
        channel="chat",
        sender="nadia.k",
        messages=(
            "Kowalczyk, G1FT50: please add two checked bags",
            "Sorry, one bag, not two",
            "No thanks, I'll leave it as it is",
        ),
        answer_holds=("left everything as it was",),
    ),
    SampleConversation(
        name="refund",
        title="Money that is paid back",
        customer="Victor Almeida",
        channel="email",
        sender="victor.almeida@example.com",
        subject="Cancelling my trip",
        messages=("Hello, my plans have changed, so please cancel my trip B1ZFLX.\n\nKind regards,\nVictor Almeida",),
        answer_holds=("refund of $",),
    ),
    SampleConversation(
        name="lost-bag",
        title="An angry customer",
        customer="Victor Hale",
        channel="email",
        sender="victor.hale@example.com",
        subject="WHERE IS MY BAG",
        messages=(
            (
                "This is the third time I am writing! Your airline lost my suitcase four days ago and nobody calls me "
                "back. I am furious and I want to speak to a manager, now."
            ),
        ),
        escalates=True,
        answer_holds=("T-",),
    ),
    SampleConversation(
        name="card",
        title="A card number typed into the chat",
        customer="Jonas Weber",
        channel="chat",
        sender="jonas.weber",
        messages=(f"I'd like to pay for an extra bag, my card is {CARD_NUMBER}. What does an extra bag cost?",),
    ),
    SampleConversation(
        name="lasagne",
        title="Not the airline's business",
        customer="Lena Fox",
        channel="chat",
        sender="lena.fox",
        messages=("Can you give me a good recipe for lasagne?", "Fair enough! Is there wifi on board?"),
    ),
)
