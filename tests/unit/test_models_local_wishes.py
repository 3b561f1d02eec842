"""What a customer wants done, said in many ways."""

from __future__ import annotations

import pytest

from worker.domains.airline.local.reading.wishes import find_wish

SAID = {
    "change_flight": [
        "I need to fly one day later please",
        "can i leave a day earlier",
        "move my flight to Monday",
        "I want to travel on the 28th instead",
        "could you rebook me on the next flight",
        "my meeting got moved, I have to go home on Friday instead of Thursday",
        "switch me to the evening flight",
        "i'd like a different departure time",
        "push my trip back by two days",
        "reschedule my flight",
        "need to postpone my journey to next week",
        "put me on an earlier flight",
        "Can I take the flight the day after?",
        "change the date of my ticket",
    ],
    "cancel": [
        "i won't be able to travel, please cancel",
        "cancel my booking",
        "I have to call off my trip",
        "please drop my reservation",
        "I'd like to cancel and get my money back",
        "don't need the ticket anymore",
    ],
    "bags": [
        "add a bag",
        "I want to bring two more suitcases",
        "can you put an extra checked bag on my booking",
        "one additional luggage please",
        "I need to check in another bag",
    ],
    "name": [
        "my name is spelled wrong on the ticket",
        "fix typo in my last name",
        "the surname should be Okafour",
        "there is an error in my name",
        "need to correct passenger name",
    ],
    "upgrade": [
        "upgrade me to business",
        "can i move to business class",
        "switch to economy from basic economy",
        "I'd like to fly business instead",
    ],
    "seat_change": [
        "i'd like to sit by the window",
        "can i get an aisle seat",
        "move me to 12A",
        "seat near the front please",
        "I want to sit next to my wife",
        "swap my seat",
    ],
    "seat_status": [
        "which seat do i have",
        "where am i sitting",
        "what's my seat number",
        "check my seat assignment",
    ],
    "booking_status": [
        "when does my flight leave",
        "what time is my flight",
        "show me my booking",
        "is my reservation confirmed?",
        "can you check my itinerary",
    ],
    "documents": [
        "send me my boarding pass",
        "email me the itinerary",
        "I need my e-ticket",
        "resend the confirmation email",
    ],
    "new_booking": [
        "book me a flight to Denver",
        "i want to buy a ticket from boston to seattle",
        "I need to fly to Chicago next Friday",
    ],
}


@pytest.mark.parametrize(("wish", "said"), [(wish, said) for wish, sayings in SAID.items() for said in sayings])
def test_a_wish_is_recognised_however_it_is_put(wish: str, said: str) -> None:
    assert find_wish(said) == wish
