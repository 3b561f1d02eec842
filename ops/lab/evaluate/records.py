"""Put the people of dialogues among the airline's customers: a seeded booking each, under the name and number given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.lab.evaluate.sets import Dialogue, Surface
from ops.seed.samples import SAMPLES
from schema.errors import FteError

if TYPE_CHECKING:
    from ops.database.migrate import Connection
    from runtime.database import Row

STRANGER = "stranger@example.com"
"""The sender of a dialogue whose customer gives neither name nor number: nobody on file."""


class TooFewBookings(FteError):
    """Raised when the sample airline has no booking left to give to a dialogue."""


@dataclass(frozen=True)
class Person:
    """Who speaks in a dialogue: what they call themselves, and the number they give."""

    given_name: str | None
    surname: str | None
    confirmation_number: str | None

    @property
    def is_known(self) -> bool:
        """Check whether there is anything to find a booking by."""
        return self.surname is not None or self.confirmation_number is not None


def person_of(dialogue: Dialogue) -> Person:
    """Read a dialogue's facts; a name of one word is a surname, and `mia_rossi_1234` is Mia Rossi."""
    stated = dialogue.expect.facts.items()
    facts = {kind: value.normalized if isinstance(value, Surface) else value for kind, value in stated}
    said = facts.get("name") or re.sub(r"[_\d]+", " ", facts.get("user_id", ""))
    *given, surname = said.split() or [""]
    return Person(
        given_name=" ".join(given).title() or None,
        surname=surname.title() or None,
        confirmation_number=re.sub(r"[^A-Z0-9]", "", facts.get("confirmation", "").upper()) or None,
    )


# The booking that has the number already, else one that much can be done with: not flown or cancelled, one traveller,
# seated, not in basic economy.
_FIND = """
    SELECT r.reservation_id, r.confirmation_number, r.customer_id, c.email FROM reservation r
    JOIN customer c ON c.tenant_id = r.tenant_id AND c.customer_id = r.customer_id
    WHERE r.tenant_id = %(tenant)s AND (r.confirmation_number = %(number)s OR r.status = 'booked'
        AND r.cabin = 'economy' AND NOT r.customer_id = ANY (%(taken)s)
        AND NOT r.confirmation_number = ANY (%(samples)s)
        AND 1 = (SELECT count(*) FROM reservation_passenger p
            WHERE p.tenant_id = r.tenant_id AND p.reservation_id = r.reservation_id)
        AND NOT EXISTS (SELECT FROM reservation_segment s JOIN flight_date d
            ON d.tenant_id = s.tenant_id AND d.flight_number = s.flight_number AND d.flight_date = s.flight_date
            WHERE s.tenant_id = r.tenant_id AND s.reservation_id = r.reservation_id
                AND (d.status <> 'available' OR d.flight_date < current_date + 3))
        AND EXISTS (SELECT FROM seat s WHERE s.tenant_id = r.tenant_id AND s.reservation_id = r.reservation_id))
    ORDER BY r.confirmation_number IS DISTINCT FROM %(number)s, r.reservation_id LIMIT 1
"""
_NUMBER = """
    UPDATE reservation SET confirmation_number = %(number)s
    WHERE tenant_id = %(tenant)s AND reservation_id = %(reservation)s
"""
_PASSENGER = """
    UPDATE reservation_passenger SET given_name = coalesce(%(given)s, given_name), surname = %(surname)s
    WHERE tenant_id = %(tenant)s AND reservation_id = %(reservation)s AND passenger_number = 1
        AND %(surname)s::text IS NOT NULL
"""
_CUSTOMER = """
    UPDATE customer SET given_name = coalesce(%(given)s, given_name), surname = %(surname)s
    WHERE tenant_id = %(tenant)s AND customer_id = %(customer)s AND %(surname)s::text IS NOT NULL
"""


def settle(connection: Connection, tenant: str, dialogues: Sequence[Dialogue]) -> list[str]:
    """Make each dialogue's person a customer with a booking; gives the address each writes from, in order.

    The same for the same dialogues in the same order. Raises TooFewBookings.
    """
    connection.execute("SELECT set_config('fte.tenant', %s, false)", [tenant])
    taken: list[int] = []
    senders = []
    for person in map(person_of, dialogues):
        if not person.is_known:
            senders.append(STRANGER)
            continue
        found = _find(connection, tenant, person, taken)
        _rename(connection, tenant, person, found)
        taken.append(found["customer_id"])
        senders.append(str(found["email"]))
    return senders


def _find(connection: Connection, tenant: str, person: Person, taken: list[int]) -> Row:
    samples = [sample.confirmation_number for sample in SAMPLES]  # which conversations are played on, as they are
    parameters = {"tenant": tenant, "number": person.confirmation_number, "taken": taken, "samples": samples}
    found = connection.execute(_FIND.encode(), parameters).fetchone()
    if found is None:
        raise TooFewBookings(f"the sample airline has no booking left after {len(taken)}; play fewer dialogues")
    return found


def _rename(connection: Connection, tenant: str, person: Person, found: Row) -> None:
    parameters = {
        "tenant": tenant,
        "reservation": found["reservation_id"],
        "customer": found["customer_id"],
        "number": person.confirmation_number or found["confirmation_number"],
        "given": person.given_name,
        "surname": person.surname,
    }
    for statement in (_NUMBER, _PASSENGER, _CUSTOMER):
        connection.execute(statement.encode(), parameters)
