"""What the published articles state in numbers and conditions, each with the rule that makes it so, or why none does.

A statement is a stretch of an article's text, word for word (line ends are blanks). Who changes an article or a rule
changes the other with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from schema.resources import load_migrations
from tests.unit.airline_stand_ins import ADA, BACK, BEN, CUSTOMER, NOW, OUT, RESERVATION, flight_of, later
from worker.conversation.refusal import Refusal
from worker.conversation.vault import Vault
from worker.domains.airline.offers.kinds import PROPOSE
from worker.domains.airline.records.backend import FlightGivenUp, Membership, Payment, Reservation, Segment
from worker.domains.airline.rules.bags import EXTRA_BAG_USD, FREE_BAGS, check_bags, price_of_bags
from worker.domains.airline.rules.cabins import check_cabin, price_of_cabin
from worker.domains.airline.rules.cancellation import DISPUTE_USD, CancellationReason, refund_of_cancellation
from worker.domains.airline.rules.compensation import Complaint, certificate_for
from worker.domains.airline.rules.flight_changes import (
    CONNECTION_MIN,
    ChangePrice,
    check_changeable,
    fee_of_change,
    price_of_change,
)
from worker.domains.airline.rules.flights import CABINS, check_open
from worker.domains.airline.rules.passengers import CHECK_IN_OPENS, check_correction
from worker.domains.airline.rules.payment import describe_price, refund_method
from worker.domains.airline.rules.seats import PREMIUM_ROWS, ROWS, SEAT_KINDS, check_seat, due_for, read_seat
from worker.domains.airline.store.airline import STOP_MINUTES_MIN
from worker.guardrails.pii import mask_text

PAID_USD = 800
EARLY, LATE = OUT.departs_at - timedelta(hours=24), OUT.departs_at - timedelta(hours=24) + timedelta(seconds=1)
"""The last moment at which a change is free, and the first at which it is not."""
FLOWN = replace(RESERVATION, segments=(replace(OUT, status="landed"), BACK))
ONE_CANCELLED = replace(RESERVATION, segments=(OUT, replace(BACK, status="cancelled")))
BASIC = replace(RESERVATION, cabin="basic_economy")
BUSINESS = replace(RESERVATION, cabin="business")
INSURED = replace(RESERVATION, insured=True)
FLIGHTS = (flight_of(OUT), flight_of(BACK))


def member(level: Membership, **changes: Any) -> Reservation:
    """Give the sample booking to a member of this level."""
    return replace(RESERVATION, customer=replace(CUSTOMER, membership=level), **changes)


def is_refused(outcome: object, code: str) -> bool:
    """Say whether a rule said no, for this reason."""
    return isinstance(outcome, Refusal) and outcome.code == code


def refund(booking: Reservation, now: Any = EARLY, reason: CancellationReason = "change_of_plan") -> int | None:
    """Give what a cancellation pays back; None when it is refused."""
    outcome = refund_of_cancellation(booking, reason, now)
    return None if isinstance(outcome, Refusal) else outcome


def certificate(booking: Reservation, complaint: Complaint, *, asked: bool = True) -> int | None:
    """Give the certificate for a disruption; None when there is none."""
    outcome = certificate_for(booking, complaint, asked=asked)
    return None if isinstance(outcome, Refusal) else outcome


def disrupted(segment: Segment, status: Any) -> Segment:
    """Give a flight that was cancelled or delayed by the airline."""
    return replace(segment, status=status)


def moved(booking: Reservation, usd: int, now: Any) -> ChangePrice | Refusal:
    """Put the next day's flight, at this fare, in the place of the way out."""
    new = later(FLIGHTS[0])
    fares = tuple(replace(fare, price_usd=usd) for fare in new.fares)
    return price_of_change(booking, (replace(new, fares=fares), FLIGHTS[1]), now)


def correct(booking: Reservation, name: tuple[str, str], now: Any = NOW) -> Refusal | None:
    """Ask whether Ada Okafor's name can become this one."""
    return check_correction(booking, ADA, name, now)


def cancelled_free_of_fee() -> bool:
    """Say whether giving up a flight that the airline disrupted costs no fee, however late."""
    return all(fee_of_change([disrupted(OUT, status)], LATE) == 0 for status in ("cancelled", "delayed"))


def is_compensated_for_a_delay_only_after_a_change() -> bool:
    """Say whether a delay is made up for once the booking was changed because of it, and not before."""
    late = member("silver", segments=(disrupted(OUT, "delayed"), BACK))
    given_up = FlightGivenUp(OUT.flight_number, OUT.flight_date, "delayed")
    changed = member("silver", changed_at=NOW, given_up=(given_up,))
    people = len(RESERVATION.passengers)
    return (certificate(late, "delayed_flight"), certificate(changed, "delayed_flight")) == (None, 50 * people)


def may_have_compensation() -> bool:
    """Say whether silver, gold, business and insured get compensation, others and those who do not ask none."""
    segments = (disrupted(OUT, "cancelled"), BACK)
    entitled = (member("silver"), member("gold"), BUSINESS, INSURED)
    return (
        all(certificate(replace(booking, segments=segments), "cancelled_flight") for booking in entitled)
        and certificate(replace(RESERVATION, segments=segments), "cancelled_flight") is None
        and certificate(member("gold", segments=segments), "cancelled_flight", asked=False) is None
    )


def fee_in_the_last_day() -> bool:
    """Say whether a change is free up to 24 hours before the flight, and then costs $50 once, besides the fare."""
    return (moved(RESERVATION, 210, EARLY), moved(RESERVATION, 260, LATE)) == (ChangePrice(0, 0), ChangePrice(100, 50))


def bag_limits_by_membership() -> bool:
    """Say whether regular members have so many free bags."""
    return FREE_BAGS["regular"] == {"basic_economy": 0, "economy": 1, "business": 2}


def bags_of_members() -> bool:
    """Say whether silver and gold members have so many free bags."""
    return (tuple(FREE_BAGS["silver"].values()), tuple(FREE_BAGS["gold"].values())) == ((1, 2, 3), (2, 3, 4))


def extra_bag_costs() -> bool:
    """Say whether a bag beyond the free ones costs $50: the sample booking has 1 of 2 free ones."""
    return (price_of_bags(RESERVATION, 1), price_of_bags(RESERVATION, 2), EXTRA_BAG_USD) == (0, 50, 50)


def at_most_five_passengers() -> bool:
    """Say whether the database refuses a sixth passenger, and no offer changes the number."""
    written = " ".join(" ".join(migration.sql for migration in load_migrations()).split())
    constraint = re.search(r"reservation_has_at_most_five_passengers CHECK \(([^)]+)\)", written)
    return constraint is not None and constraint[1].endswith("BETWEEN 1 AND 5") and "passengers" not in PROPOSE


def seat_map() -> bool:
    """Say whether the map is this one."""
    return (ROWS[0], ROWS[-1], "".join(SEAT_KINDS)) == (1, 30, "ABCDEF") and read_seat("31A") is None


def premium_seat_costs() -> bool:
    """Say whether a premium seat costs $35 whoever takes it, and others nothing."""
    seats = [read_seat(number) for number in ("5A", "6A")]
    return [due_for(seat, None) for seat in seats if seat] == [35, 0]


def is_masked_for_ever(text: str) -> bool:
    """Say whether nothing of a secret is kept, not even in the vault."""
    vault = Vault()
    masked = mask_text(text, vault)
    return bool(masked.types) and not vault.entries


def is_due(price: ChangePrice | Refusal, difference: int, *, fee: int) -> bool:
    """Say whether a change costs this difference in fare and this fee, whatever of the fee falls away."""
    return isinstance(price, ChangePrice) and (price.difference_usd, price.fee_usd) == (difference, fee)


Statement = tuple[str, str, Callable[[], bool]]

STATEMENTS: tuple[Statement, ...] = (
    # Bags
    ("baggage", "With an economy ticket each passenger may bring one carry-on bag and one checked bag at no charge",
     lambda: FREE_BAGS["regular"]["economy"] == 1),
    ("baggage", "Regular members have no free checked bag in basic economy, 1 in economy and 2 in business",
     bag_limits_by_membership),
    ("baggage", "Silver members have 1, 2 and 3, gold members 2, 3 and 4", bags_of_members),
    ("baggage", "Each extra checked bag costs $50", extra_bag_costs),
    ("baggage", "any further checked bag beyond those that are free for you costs $50 each", extra_bag_costs),
    ("baggage", "can be added to a booking as long as one of its flights is still ahead",
     lambda: check_bags(FLOWN, 1, NOW) is None
     and is_refused(check_bags(FLOWN, 1, BACK.departs_at), "flight_departed")),
    ("baggage", "Bags that have been added and paid for cannot be removed",
     lambda: is_refused(check_bags(RESERVATION, -1, NOW), "bags_never_removed")),
    ("basic-economy", "a checked bag is not, unless you are a silver or gold member",
     lambda: [FREE_BAGS[level]["basic_economy"] > 0 for level in ("regular", "silver", "gold")] == [False, True, True]),
    # Changing flights
    ("basic-economy", "Its flights cannot be changed", lambda: is_refused(check_changeable(BASIC, 2), "basic_economy")),
    ("flight-changes", "Flights of a basic economy ticket cannot be changed",
     lambda: is_refused(check_changeable(BASIC, 2), "basic_economy")),
    ("delays", "The flights of a basic economy ticket cannot be changed",
     lambda: is_refused(check_changeable(BASIC, 2), "basic_economy")),
    ("flight-changes", "Economy and business tickets can be moved to another date or time",
     lambda: check_changeable(RESERVATION, 2) is None and check_changeable(BUSINESS, 2) is None),
    ("flight-changes", ("Changes are free up to 24 hours before the flight. After that, a $50 change fee applies, "
     "besides any difference in fare"), fee_in_the_last_day),
    ("flight-changes", "If we cancelled or delayed the flight, there is no fee", cancelled_free_of_fee),
    ("flight-changes", "the type of trip (one way or round trip) cannot be changed either",
     lambda: is_refused(price_of_change(RESERVATION, FLIGHTS[:1], NOW), "route_never_changes")),
    ("flight-changes", "A booking has at most 5 passengers", at_most_five_passengers),
    ("group-bookings", "A booking has at most 5 passengers", at_most_five_passengers),
    ("delays", "to another of our flights to the same destination without the change fee; a difference in fare is due",
     lambda: is_due(moved(replace(RESERVATION, segments=(disrupted(OUT, "delayed"), BACK)), 260, LATE), 100, fee=0)),
    ("cancelled-flights", "take another of our flights instead, without the change fee; a difference in fare is due",
     lambda: is_due(moved(replace(RESERVATION, segments=(disrupted(OUT, "cancelled"), BACK)), 260, LATE), 100, fee=0)),
    ("missed-flights", ("an economy or business ticket is moved to the next flight with free seats for the $50 change "
     "fee and any difference in fare"), lambda: fee_of_change([OUT], OUT.departs_at - timedelta(minutes=1)) == 50),
    ("missed-flights", "After departure only a person can help",
     lambda: is_refused(moved(RESERVATION, 210, OUT.departs_at), "flight_departed")),
    ("connections", "We sell connections of at least 45 minutes",
     lambda: timedelta(minutes=45) in {CONNECTION_MIN} & {timedelta(minutes=STOP_MINUTES_MIN)}),
    # Cancelling and refunds
    ("cancellation", "is cancelled free up to 24 hours before the flight. After that, a $50 change fee applies",
     lambda: (refund(BUSINESS), refund(BUSINESS, LATE)) == (PAID_USD, PAID_USD - 50)),
    ("cancellation", "If we cancelled or delayed the flight, there is no fee", cancelled_free_of_fee),
    ("cancellation", "if you cancel within 24 hours of booking",
     lambda: [refund(replace(RESERVATION, created_at=EARLY - timedelta(hours=h))) for h in (24, 25)]
     == [PAID_USD, None]),
    ("cancellation", "if we cancelled a flight of it", lambda: refund(ONE_CANCELLED, LATE) == PAID_USD),
    ("cancellation", "if you booked business", lambda: refund(BUSINESS) == PAID_USD),
    ("cancellation", "if you have travel insurance and cancel for health or weather",
     lambda: [refund(INSURED, EARLY, reason) for reason in ("health", "weather", "other")]
     == [PAID_USD, PAID_USD, None]),
    ("cancellation", "No flight of the booking may have been flown",
     lambda: is_refused(refund_of_cancellation(FLOWN, "health", EARLY), "already_flown")),
    ("cancellation", "Any other booking cannot be cancelled", lambda: refund(RESERVATION) is None),
    ("cancelled-flights", ("you may cancel the booking and have the fare refunded to the original payment within 5 to "
     "7 days, whatever your ticket, as long as no flight of the booking has been flown"),
     lambda: refund(replace(ONE_CANCELLED, cabin="basic_economy"), LATE) == PAID_USD
     and refund(replace(ONE_CANCELLED, segments=(FLOWN.segments[0], ONE_CANCELLED.segments[1]))) is None
     and "within 5 to 7 days" in describe_price(-PAID_USD, ())),
    ("refunds", ("A refund is due when you cancel within 24 hours of booking, when we cancel your flight, for business "
     "tickets, and for insured tickets cancelled for health or weather, as long as no flight of the booking has been "
     "flown"),
     lambda: all(
         refund(booking, EARLY, "health") == PAID_USD
         for booking in (replace(RESERVATION, created_at=EARLY - timedelta(hours=24)), ONE_CANCELLED, BUSINESS, INSURED)
     ) and refund(RESERVATION, EARLY, "health") is None and refund(replace(FLOWN, cabin="business")) is None),
    ("refunds", "Less than 24 hours before the flight a $50 change fee is taken off, unless we cancelled or delayed it",
     lambda: refund(BUSINESS, LATE) == PAID_USD - 50 and cancelled_free_of_fee()),
    ("refunds", "Refunds arrive within 5 to 7 days on the original form of payment",
     lambda: "within 5 to 7 days to the original payment" in describe_price(-1, ())),
    ("refunds", "Disputes over more than $500 are always decided by one",
     lambda: DISPUTE_USD == 500
     and is_refused(refund_of_cancellation(RESERVATION, "other", EARLY), "refund_needs_person")),
    ("gift-cards", "What was paid with a gift card or certificate is refunded to it",
     lambda: all(
         refund_method(replace(RESERVATION, payments=(Payment(way.kind, 400, "fare", way.number),))) == way
         for way in CUSTOMER.payment_methods
     )),
    ("travel-insurance", ("With insurance you may cancel for health or weather reasons and get the fare back, as long "
     "as no flight of the booking has been flown"),
     lambda: refund(INSURED, EARLY, "weather") == PAID_USD
     and refund(replace(FLOWN, insured=True), EARLY, "weather") is None),
    ("travel-insurance", "you may ask for compensation when we cancel or delay a flight", may_have_compensation),
    # Compensation
    ("compensation", ("Silver and gold members, business passengers and passengers with travel insurance may ask for "
     "compensation; it is not paid out by itself"), may_have_compensation),
    ("compensation", "For a flight cancelled by us it is a certificate of $100 per passenger",
     lambda: certificate(member("silver", segments=ONE_CANCELLED.segments), "cancelled_flight")
     == 100 * len(RESERVATION.passengers)),
    ("compensation", ("For a delayed flight it is $50 per passenger, after the booking has been changed or cancelled "
     "because of the delay"), is_compensated_for_a_delay_only_after_a_change),
    # Cabins
    ("cabins-and-upgrades", "We fly three cabins: basic economy, economy and business",
     lambda: CABINS == ("basic_economy", "economy", "business")),
    ("cabins-and-upgrades", ("You may upgrade by paying the difference in fare for all flights and passengers of the "
     "booking, as long as none of its flights has departed or been cancelled"),
     lambda: price_of_cabin(RESERVATION, "business", FLIGHTS) == 2 * 2 * 300
     and is_refused(check_cabin(FLOWN, "business", NOW), "already_flown")
     and is_refused(check_cabin(ONE_CANCELLED, "business", NOW), "flight_cancelled")),
    ("basic-economy", ("You may move from basic economy to economy or business by paying the difference in fare, for "
     "all flights of the booking at once"),
     lambda: [check_cabin(BASIC, cabin, NOW) for cabin in ("economy", "business")] == [None, None]),
    ("cabins-and-upgrades", "A premium seat that you choose yourself costs gold members $35 as well",
     premium_seat_costs),
    # Seats
    ("seating", "Seats run from row 1 to row 30, letters A to F: 1A to 30F", seat_map),
    ("seating", "A and F are window seats, C and D are aisle seats, B and E are middle seats",
     lambda: [SEAT_KINDS[letter] for letter in "AFCDBE"] == ["window"] * 2 + ["aisle"] * 2 + ["middle"] * 2),
    ("seating", "Rows 1 to 5 are premium rows with extra legroom",
     lambda: (PREMIUM_ROWS[0], PREMIUM_ROWS[-1]) == (1, 5)),
    ("seating", "A seat there costs $35 extra per flight. All other seats are free to choose", premium_seat_costs),
    ("seating", "You may choose or change your seat at any time until departure, also with a basic economy ticket",
     lambda: check_open(BASIC, OUT, OUT.departs_at - timedelta(seconds=1)) is None
     and is_refused(check_open(BASIC, OUT, OUT.departs_at), "flight_departed")
     and not isinstance(check_seat("12A", [], None), Refusal)),
    ("basic-economy", "You may choose a seat at no charge outside the premium rows", premium_seat_costs),
    # Names
    ("name-corrections", "A misspelled name is corrected free of charge until check-in opens",
     lambda: correct(RESERVATION, ("Ada", "Okafur"), EARLY - timedelta(seconds=1)) is None
     and is_refused(correct(RESERVATION, ("Ada", "Okafur"), EARLY), "check_in_open")),
    ("check-in", "Online check-in opens 24 hours", lambda: timedelta(hours=24) == CHECK_IN_OPENS),
    ("name-corrections", "A ticket cannot be transferred to another person",
     lambda: is_refused(correct(RESERVATION, ("Eve", "Smith")), "another_person")
     and is_refused(correct(RESERVATION, (BEN.given_name, BEN.surname)), "another_person")),
    # What is masked
    ("privacy", "Card numbers and social security numbers that you send are removed at once and never kept",
     lambda: is_masked_for_ever("my card is 4111 1111 1111 1111") and is_masked_for_ever("my ssn is 078-05-1120")),
)  # fmt: skip
"""Article, its words, and the rule that must hold for them."""

AT_THE_AIRPORT = "done by staff at the airport; the product has no tool for it"
AT_BOOKING = "settled where a trip is booked, which the product does not do"
BY_A_PERSON = "arranged by a person after a ticket"
A_FACT = "what the airline offers on board, on the ground or with its programme; nothing is worked out from it"
A_PROMISE = "what the airline promises of its own work; no code measures it"

POLICY_ONLY: tuple[tuple[str, str, str], ...] = (
    ("baggage", "A checked bag may weigh up to 50 lbs", AT_THE_AIRPORT),
    ("baggage", "A bag or suitcase may be as heavy as 50 lbs. A checked bag over 50 lbs costs $50", AT_THE_AIRPORT),
    ("baggage", "Bags over 70 lbs are not accepted as baggage", AT_THE_AIRPORT),
    ("baggage", "may add up to 62 inches", AT_THE_AIRPORT),
    ("boarding", "Be at the airport 2 hours before a domestic and 3 hours before an international flight", A_FACT),
    ("boarding", "Boarding begins 40 minutes before departure, and the gate closes 15 minutes before", A_FACT),
    ("boarding", "families with children under 5", AT_THE_AIRPORT),
    ("cabins-and-upgrades", "from 24 hours before departure, when seats there are free", AT_THE_AIRPORT),
    ("carry-on", "one carry-on bag of up to 22 x 14 x 9 inches and one personal item", AT_THE_AIRPORT),
    ("check-in", "and closes 60 minutes before departure", A_FACT),
    ("check-in", "Counters and kiosks open 3 hours before departure", A_FACT),
    ("check-in", ("Bag drop and check-in close 45 minutes before a domestic and 60 minutes before an international "
     "flight"), A_FACT),
    ("contact", "somebody takes it up within an hour", "FTE_ANSWER_BY_MINUTES: each deployment promises its own"),
    ("damaged-bags", "within 24 hours of a domestic and 7 days of an international flight", BY_A_PERSON),
    ("delays", "From 2 hours of delay you get a voucher for food and drink at the gate", AT_THE_AIRPORT),
    ("electronics-batteries", "Batteries up to 100 Wh need no approval; two of 100 to 160 Wh are allowed", A_FACT),
    ("family-seating", "A child under 13 sits beside an adult of the same booking at no extra charge", BY_A_PERSON),
    ("gift-cards", "a certificate is used up in one booking", AT_BOOKING),
    ("gift-cards", "Certificates are valid for one year", AT_BOOKING),
    ("group-bookings", "For 6 to 9 people make two bookings", AT_BOOKING),
    ("group-bookings", "From 10 people on our group desk offers one price for all", BY_A_PERSON),
    ("group-bookings", "within 2 working days", A_PROMISE),
    ("identification", "Children under 18 who travel with an adult need none", AT_THE_AIRPORT),
    ("identification", "come to the airport 3 hours before departure", AT_THE_AIRPORT),
    ("infants", "A child under 2 travels free of charge on an adult's lap on domestic flights, one child per adult",
     AT_BOOKING),
    ("infants", "at least 7 days old", AT_BOOKING),
    ("liquids", "containers of up to 3.4 ounces (100 ml), all in one clear", AT_THE_AIRPORT),
    ("lost-bags", "within 4 hours of landing", AT_THE_AIRPORT),
    ("lost-bags", "A bag not found after 21 days counts as lost", BY_A_PERSON),
    ("lost-items", "kept for 30 days", BY_A_PERSON),
    ("lounges", "Gold members with one guest", AT_THE_AIRPORT),
    ("lounges", "A day pass costs $50 at the door", AT_THE_AIRPORT),
    ("lounges", "open from 5 in the morning", A_FACT),
    ("loyalty", "25,000 miles in a calendar year make you silver, 50,000 make you gold", A_FACT),
    ("loyalty", "up to 6 months after it", A_FACT),
    ("meals", "On flights over 3 hours there are meals to buy", A_FACT),
    ("meals", "until 24 hours before flights on which meals are served", BY_A_PERSON),
    ("medical-needs", "Tell us 48 hours ahead", BY_A_PERSON),
    ("medical-needs", "in the last 10 days", BY_A_PERSON),
    ("payment", "A booking may use one certificate, one card and up to three gift cards", AT_BOOKING),
    ("pets", "in a carrier of up to 18 x 11 x 11 inches", AT_THE_AIRPORT),
    ("pets", "It costs $95 each way", BY_A_PERSON),
    ("pets", "There are at most 4 pets on a flight", BY_A_PERSON),
    ("pets", "at least 8 weeks old", AT_THE_AIRPORT),
    ("pregnancy", "until the end of week 35", AT_THE_AIRPORT),
    ("pregnancy", "From week 36 on we need a doctor's note no older than 3 days", AT_THE_AIRPORT),
    ("privacy", "Conversations are kept for 90 days", "FTE_CONVERSATIONS_DAYS; operators set fewer, or erase"),
    ("privacy", "A person answers within 30 days", A_PROMISE),
    ("receipts", "for 12 months after the flight", BY_A_PERSON),
    ("service-animals", "at least 48 hours before departure", BY_A_PERSON),
    ("special-assistance", "at least 48 hours before departure", BY_A_PERSON),
    ("sports-equipment", "count as one checked bag each, also when longer than 62 inches", AT_THE_AIRPORT),
    ("sports-equipment", "The limit of 50 lbs holds", AT_THE_AIRPORT),
    ("sports-equipment", "cost $75 each way in a box or bag", BY_A_PERSON),
    ("sports-equipment", "Tell us 48 hours ahead", BY_A_PERSON),
    ("standby-same-day", "From 24 hours before departure", AT_THE_AIRPORT),
    ("standby-same-day", "costs $50 for others", AT_THE_AIRPORT),
    ("standby-same-day", "Seats are given 30 minutes before departure", AT_THE_AIRPORT),
    ("missed-flights", "keeps its value for rebooking within a year", BY_A_PERSON),
    ("refunds", "A non-refundable ticket can be rebooked within a year without a change fee", BY_A_PERSON),
    ("travel-credit", "for one year from the day you booked it", BY_A_PERSON),
    ("travel-insurance", "Travel insurance costs $30 per passenger", AT_BOOKING),
    ("unaccompanied-minors", "Children from 5 to 14 who travel without an adult", BY_A_PERSON),
    ("unaccompanied-minors", "From 15 on it is optional. Children under 5 cannot travel alone", BY_A_PERSON),
    ("unaccompanied-minors", "The service costs $100 each way and covers up to two siblings", BY_A_PERSON),
    ("wifi", "Wi-Fi for browsing costs $8 per flight", A_FACT),
    ("connections", "on one booking because our flight was late", BY_A_PERSON),
)  # fmt: skip
"""Article, its words, and why no rule stands behind the number in them."""
