"""Test what counts as an automatic reply: nobody wrote it, so nobody is answered; a person who is away is."""

from __future__ import annotations

import pytest

from worker.guardrails.automatic import is_automatic
from worker.guardrails.pii import normalise

AUTOMATIC = [
    "Automatic reply: Your booking\n\nThank you for your message. I am on annual leave until 12 January.",
    "Auto-Reply: Re: Your refund",
    "Autoreply: we got it",
    "Out of Office: Your seat change",
    "Out of office\n\nBack on 4 May.",
    "OOO: Re: ticket T-ABC",
    "Re: Out of Office: Your seat change",
    "[EXTERNAL] Automatic reply: Your trip",
    "Abwesenheitsnotiz: Ihre Buchung\n\nIch bin bis zum 7. Januar nicht im Büro.",
    "Automatische Antwort: Your booking",
    "Réponse automatique : votre voyage",
    "Respuesta automática: su reserva",
    "Undeliverable: Your offer",
    "Undelivered Mail Returned to Sender\n\nThis is the mail system at host mx1.example.com.",
    "Mail delivery failed: returning message to sender",
    "Undeliverable",
    "Delivery Status Notification (Failure)\n\nAddress not found. Could you not find it? See below.",
    "Delivery has failed to these recipients or groups:\n\nada@example.com",
    "Failure notice\n\nHi. This is the qmail-send program.",
    "I am out of the office until Monday with limited access to email. For urgent matters contact my colleague.",
    "Hello,\nthank you for your email. I\u2019m currently on parental leave and will reply after my return.",
    "Hi, I am away from my desk this week. I will get back to you when I return. Best, Tom",
    "I will be on vacation from 1 to 14 August. Your message will not be forwarded.",
    "Ich bin derzeit nicht im Büro. In dringenden Fällen wenden Sie sich an meine Kollegin.",
    "Je suis actuellement en congés. En cas d'urgence, écrivez à mon assistant.",
    "Thank you for contacting us. This is an automated response; your request has been received.",
    "This mailbox is not monitored. Messages sent to it are deleted.",
    "Your message to ada@example.com could not be delivered because the mailbox is full.",
]

WRITTEN = [
    "I am out of the office until Monday, please call my mobile instead",
    "I'm on vacation until Friday, can you move my flight to Saturday?",
    "I got an automatic reply from you and nothing else. What about my refund?",
    "Is this an automatic reply?",
    "this is an automated response, right? I want to speak to a person",
    "your email was undeliverable, here is my new address: please send it again",
    "Re: Your booking\n\nYes, go ahead.",
    "Thanks for your message, yes please do it",
    "I will be away when the bag arrives; my neighbour can take it",
    "We are on holiday in Spain and my suitcase is still missing",
    "I'm out of office hours here, when do you open?",
    "stop sending me automatic replies",
    "I will reply tomorrow",
    "Oooh nice, thanks",
    "read: I never agreed to that fee",
    "Delivery of my delayed bag failed again, I was at home all day. My bag is still with you.",
    "I am on leave from the army and travel with my rifle",
    "Undelivered luggage for six days, I want an answer",
    "delivery has failed three times, bring my bag",
    "Out of office hours nobody answers your phone",
    "yes",
    "",
]


@pytest.mark.parametrize("text", AUTOMATIC)
def test_what_a_mailbox_sends_by_itself_is_told(text: str) -> None:
    assert is_automatic(normalise(text))


@pytest.mark.parametrize("text", WRITTEN)
def test_what_a_person_writes_is_not_taken_for_it(text: str) -> None:
    assert not is_automatic(normalise(text))
