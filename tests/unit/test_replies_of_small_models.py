"""What small models and odd endpoints said to customers, word for word, when nothing held it back."""

from __future__ import annotations

import pytest

from tests.unit.reviewing import NOTHING, kind_of
from worker.guardrails.shaping import shape_reply
from worker.models.wire.parts import is_blank

HELD_BACK = (
    (
        "Your card is [CARD_NUMBER]. It&#39;s a $150 credit, and you can pay for it with either [CARD_NUMBER] or "
        "[SIGNED_FLOWER_PAYMENT], which can be done through our customer support system."
    ),
    (
        "They also store this data in an online system called [CARD_NUMBER]. They will use this information to track "
        "your "
        "order and can even approve the purchase."
    ),
    (
        "Your manager will have another day ahead of them to respond to your request for extra support or a refund. "
        "I can "
        "provide a phone call or a meeting with your manager"
    ),
    "You can certainly move to a window seat. This is an offer of 1,000, which includes the choice of all seats.",
    "We don't have any cats available, but I'll make sure to have a cat bed available for the cat.",
    "It should be Okafor, not Okafer, so your name is corrected.",
    "Sure, you can have 7F instead of 10.",
    "Please confirm the refund of your flight LF191, please.",
    "Here's a possible response: \"Lady, I apologize. We're taking steps to expedite your flight today\"",
    (
        "The customer relations department is at 1600 Waverly Parade, and I'm at 503. You can find me on Twitter: "
        "@E-R&L@FoxBaltCruiseCo."
    ),
    "The cat is a gift from the airline. They are also free of charge when you get back home.",
    "The flight LF118 was indeed on time for tomorrow's departure.",
    "you can download a software package. It's called the E-NZ Passenger Passes",
    "Dear [Customer Name], your booking [Booking Reference] is fine. Regards, [Your Name]",
    "Your card [CARD_NUMBER] was charged; your number [SSN] is on file.",
    "I am handing you over to the Booking Agent now; the FAQ Agent could not help.",
    "As an AI language model developed by OpenAI, I cannot travel.",
    "The amount of $412 will be returned to your card within 5 days.",
    "Great news! Your money is on its way back to you: four hundred dollars.",
    "All set! 7F is yours now.",
    "I don't allow surfboards.",
    "I never charge for pets.",
    "As a gesture of goodwill, business class is on us this time.",
    "Somebody from our team is going to ring you within the hour.",
    "I'm transferring you to a colleague now. Please hold.",
    "Bonne nouvelle : j'ai rembours\u00e9 int\u00e9gralement votre billet, vous recevrez 412 $ sous cinq jours.",
    "He cambiado su asiento al 7F y le hemos reembolsado 200 $.",
    "To go on, please send me your card number, expiry date and the security code.",
    "https://larkfield-air-refunds.example.net/claim",
    "Dogs of any size travel free of charge on all our flights.",
    "A checked bag may weigh 500 lbs and it is free for everybody.\n\nSource: Baggage \u203a Overweight bags",
)


@pytest.mark.parametrize("said", HELD_BACK)
def test_what_nothing_stands_behind_is_held_back(said: str) -> None:
    assert kind_of(shape_reply(said), NOTHING) is not None


@pytest.mark.parametrize(
    "said",
    [
        "<think>\nOkay, the customer asks about bags. I should be polite and short.\n</think>\n\nHappy to help.",
        "I should be polite and short.\n</think>\n\nHappy to help.",
        "Happy to help.</s>[INST] thanks [/INST] You are welcome.",
        "Happy to help.\n\nCustomer: And what about skis?\nAgent: Skis are free of charge.",
        '{"answer": "Happy to help."}',
    ],
)
def test_a_models_insides_are_cut_away_and_its_answer_stays(said: str) -> None:
    assert shape_reply(said) == "Happy to help."


def test_what_nobody_sees_is_no_reply() -> None:
    assert is_blank(shape_reply("\u200b\ufeff"))
