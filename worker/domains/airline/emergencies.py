"""What a customer is told in an emergency, a fixed text for each kind: whom to call and whom to tell, at once.

`{emergency_number}` and `{crisis_line}` are settings of the deployment. None of them asks for anything, and none says
that an answer of ours is worth waiting for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from worker.conversation.vocabulary import EmergencyKind

ADVICE: Final[Mapping[EmergencyKind, str]] = {
    "poisoning": (
        "This may be life-threatening. Call the emergency number now: {emergency_number}. Say what was taken, how much "
        "and when, and keep the packet; do not wait for signs, and do not make anybody vomit. On board, press the call "
        "button or call out to the crew; at the airport, tell the nearest member of staff. If it was taken on purpose, "
        "you are not alone in this: {crisis_line}."
    ),
    "medical": (
        "This sounds like a medical emergency. Call the emergency number now: {emergency_number}. On board, press the "
        "call button or call out to the crew; at the airport, tell the nearest member of staff: they are trained and "
        "bring help faster than I can. Stay with the person, and do what the crew or the emergency service tells you."
    ),
    "self_harm": (
        "I am very sorry that it is so hard right now, and I am glad that you wrote it. Please talk to a person at "
        "once: {crisis_line}. If you, or whoever you are worried about, may be in danger now, call the emergency "
        "number: {emergency_number}. At the airport or on board, tell any member of staff or the crew; they will stay "
        "with you."
    ),
    "security": (
        "Please keep away from it, touch nothing, and tell the crew or the nearest member of airport staff or police "
        "officer at once; on board, press the call button. If you cannot reach them, or anybody is in danger, call the "
        "emergency number: {emergency_number}."
    ),
    "violence": (
        "Please get to a safe place first, among other people. Call the emergency number now: {emergency_number}. On "
        "board, press the call button or go to the crew; at the airport, go to the nearest member of staff or police "
        "officer. Nobody is told by us who travels on which flight: not you about others, and nobody about you."
    ),
    "trafficking": (
        "If somebody is held, made to travel or taken away, call the emergency number: {emergency_number}. On board or "
        "at the airport, tell the crew, a member of staff or a police officer quietly, where the other person cannot "
        "hear it. Do not confront anybody: it could make the danger greater."
    ),
    "lost_child": (
        "Please tell the nearest member of staff or the crew at once: they start the search and stay with a child who "
        "is alone. Say the name, age and clothes, and where you last saw each other. If nobody is near, or somebody "
        "may be in danger, call the emergency number: {emergency_number}."
    ),
}
