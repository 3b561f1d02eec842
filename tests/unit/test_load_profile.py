from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.lab.load.options import LoadOptions
from ops.lab.load.profile import (
    InvalidProfile,
    Phase,
    Profile,
    parse_profile,
    read_profile,
    shipped_profiles,
    steady_profile,
)
from ops.lab.load.schedule import make_schedule, seconds_until
from ops.lab.load.senders import falls_to
from ops.lab.load.sending import MessagePlan

PHASES = st.builds(
    Phase,
    name=st.just("some"),
    seconds=st.floats(0.5, 20),
    rate=st.floats(0, 20),
    rate_end=st.none() | st.floats(0, 20),
    hot_share=st.sampled_from([0, 0.25, 1]),
)
PROFILES = st.builds(
    Profile,
    name=st.just("any"),
    phases=st.lists(PHASES, max_size=3).map(lambda phases: (Phase(name="first", seconds=1, rate=5), *phases)),
    conversations=st.integers(1, 12),
    turns=st.integers(1, 4),
    hot_conversations=st.integers(1, 3),
    arrivals=st.sampled_from(["even", "random"]),
)


def profile_of(*phases: Phase, conversations: int = 10, turns: int = 3) -> Profile:
    return Profile(name="p", phases=phases, conversations=conversations, turns=turns)


def test_profiles_that_come_along_are_read_by_their_name_and_are_of_every_kind() -> None:
    assert shipped_profiles() == ["door", "hot", "ramp", "soak", "spike", "staircase", "steady"]

    read = {name: read_profile(name) for name in shipped_profiles()}

    assert any(phase.hot_share for phase in read["hot"].phases)
    assert any(phase.last_rate > phase.rate for phase in read["ramp"].phases)
    assert [one.rate < two.rate for one, two in pairwise(read["staircase"].phases)] == [True, True, True]
    assert read["soak"].watch_growth


def test_a_profile_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n[[phases]]\nname = "one"\nseconds = 5\nrate = 2\n', encoding="utf-8")

    assert read_profile(str(file)).phases == (Phase(name="one", seconds=5, rate=2),)


def test_the_profile_in_the_documentation_can_be_run() -> None:
    text = (Path(__file__).parents[2] / "docs" / "load-testing.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)

    profile = parse_profile(tomllib.loads(example), "load-testing.md")

    assert [phase.name for phase in profile.phases] == ["before", "rising"]
    defaults = Profile(name="x", phases=profile.phases)
    told = dict(re.findall(r"^(\w+) = .*\(([^()]+)\)$", example, re.MULTILINE))
    told.pop("hot_share")
    assert {name: str(getattr(defaults, name)).lower().removesuffix(".0") for name in told} == told


PHASE = {"name": "one", "seconds": 5, "rate": 2}


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"name": "x"}, "phases: field required"),
        ({"name": "x", "phases": []}, "phases: "),
        ({"name": "x", "phases": [PHASE, PHASE | {"seconds": 0}]}, "phases[2].seconds: "),
        ({"name": "x", "phases": [PHASE | {"rate": "many"}]}, "phases[1].rate: "),
        ({"name": "x", "phases": [PHASE | {"hot_share": 1.5}]}, "phases[1].hot_share: "),
        ({"name": "x", "phases": [PHASE | {"rates": 2}]}, "phases[1].rates: extra inputs"),
        ({"name": "x", "phases": [PHASE | {"rate": 0}]}, "make 0 messages"),
        ({"name": "x", "phases": [PHASE | {"rate": 90_000, "seconds": 600_000}]}, "messages; 1 to 2,000,000"),
        ({"name": "x", "phases": [PHASE], "model_latency_ms": "soon"}, "model_latency_ms: "),
        ({"name": "x", "phases": [PHASE], "arrivals": "sometimes"}, "arrivals: "),
    ],
)
def test_a_wrong_profile_is_told_by_the_place_of_what_is_wrong(facts: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidProfile) as raised:
        parse_profile(facts, "mine.toml")

    assert str(raised.value).startswith("mine.toml: ")
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [("name = ", "no TOML"), (None, "No such file"), ("\udcff", "no TOML")],
    ids=["cut", "none", "bytes"],
)
def test_a_file_that_is_no_toml_is_told(tmp_path: Path, text: str | None, told: str) -> None:
    file = tmp_path / "mine.toml"
    if text is not None:
        file.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(InvalidProfile, match=told):
        read_profile(str(file))


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.7, 3.3, 19.9, 1_000])
@pytest.mark.parametrize(("conversations", "turns"), [(1, 1), (3, 7), (100, 5)])
def test_without_a_profile_every_customer_writes_as_often_as_asked(rate: float, conversations: int, turns: int) -> None:
    profile = steady_profile(conversations=conversations, turns=turns, messages_per_second=rate)

    schedule = list(make_schedule(profile))

    assert Counter(due.conversation for due in schedule) == dict.fromkeys(range(conversations), turns)


def test_a_load_of_more_messages_than_can_be_remembered_is_refused() -> None:
    with pytest.raises(InvalidProfile, match="5,000,000 messages; 1 to 2,000,000 are allowed"):
        steady_profile(conversations=1_000_000, turns=5, messages_per_second=1_000)


@given(PROFILES)
def test_messages_are_due_in_order_and_within_their_phases(profile: Profile) -> None:
    schedule = list(make_schedule(profile))

    begins = [sum(phase.seconds for phase in profile.phases[:number]) for number in range(len(profile.phases) + 1)]
    assert all(one.due_seconds <= two.due_seconds + 1e-9 for one, two in pairwise(schedule))
    for due in schedule:
        assert begins[due.phase] - 1e-6 <= due.due_seconds <= begins[due.phase + 1] + 1e-6


@given(PROFILES)
def test_evenly_spaced_messages_are_as_many_as_the_rates_make(profile: Profile) -> None:
    even = profile.model_copy(update={"arrivals": "even"})

    schedule = list(make_schedule(even))

    assert abs(len(schedule) - sum(phase.messages for phase in profile.phases)) <= 1


@given(PROFILES)
def test_every_conversation_gets_its_messages_one_after_the_other(profile: Profile) -> None:
    places: dict[str, list[int]] = defaultdict(list)
    for due in make_schedule(profile):
        places[due.name].append(due.place)

    assert all(found == list(range(len(found))) for found in places.values())
    assert all(len(found) <= profile.turns for name, found in places.items() if not name.startswith("hot"))
    assert sum(name.startswith("hot") for name in places) <= profile.hot_conversations


@given(PROFILES)
def test_the_same_profile_makes_the_same_schedule(profile: Profile) -> None:
    assert list(make_schedule(profile)) == list(make_schedule(profile))


@given(PROFILES, st.integers(1, 5))
def test_every_message_is_sent_by_one_process_and_a_conversation_by_the_same(profile: Profile, senders: int) -> None:
    senders_of: dict[str, set[int]] = defaultdict(set)
    for due in make_schedule(profile):
        mine = [index for index in range(senders) if falls_to(due, index, senders)]
        assert len(mine) == 1
        senders_of[due.name] |= set(mine)

    assert all(len(found) == 1 for found in senders_of.values())


def test_hot_conversations_get_their_share_of_a_phase_and_of_no_other() -> None:
    phases = (Phase(name="hot", seconds=10, rate=10, hot_share=0.3), Phase(name="calm", seconds=10, rate=10))

    hot = Counter(due.phase for due in make_schedule(profile_of(*phases)) if due.is_hot)

    assert hot == {0: 30}


def test_a_customer_who_has_written_is_followed_by_another() -> None:
    schedule = make_schedule(profile_of(Phase(name="p", seconds=7, rate=1), conversations=2, turns=2))

    assert [(due.conversation, due.place) for due in schedule] == [
        (0, 0),
        (1, 0),
        (0, 1),
        (1, 1),
        (2, 0),
        (3, 0),
        (2, 1),
    ]


def test_a_ramp_sends_as_fast_as_it_has_risen() -> None:
    ramp = profile_of(Phase(name="up", seconds=100, rate=0, rate_end=20))

    seconds = Counter(int(due.due_seconds) for due in make_schedule(ramp))

    assert sum(seconds.values()) == 1_000
    assert all(abs(seconds[second] - (second + 0.5) / 5) <= 1 for second in range(100))


def test_random_arrivals_are_a_poisson_process() -> None:
    profile = profile_of(Phase(name="p", seconds=20_000, rate=5)).model_copy(update={"arrivals": "random"})
    times = [due.due_seconds for due in make_schedule(profile)]

    counts = Counter(int(time) for time in times)
    mean = len(times) / 20_000
    variance = sum((counts[second] - mean) ** 2 for second in range(20_000)) / 20_000

    assert mean == pytest.approx(5, rel=0.02)
    assert variance == pytest.approx(mean, rel=0.05), "of evenly spaced messages it would be 0"


@pytest.mark.parametrize(("rate", "end"), [(5, 5), (0, 10), (10, 0), (2, 9)])
def test_the_time_of_a_message_is_where_the_rates_add_up_to_it(rate: float, end: float) -> None:
    phase = Phase(name="p", seconds=10, rate=rate, rate_end=end)

    for messages in (0.5, 1, 10, 25, phase.messages - 1e-6):
        reached = seconds_until(phase, messages)
        rate_then = rate + (end - rate) * reached / 10
        assert (rate + rate_then) / 2 * reached == pytest.approx(messages, rel=1e-4)


def test_texts_of_a_hot_conversation_go_on_for_as_long_as_it_does() -> None:
    profile = profile_of(Phase(name="hot", seconds=10, rate=10, hot_share=1))
    plan = MessagePlan(LoadOptions(profile=profile, run="r1"))

    written = [plan.write(planned) for planned in plan.messages]

    assert {inbound.conversation for inbound in written} == {"load-r1-hot-0"}
    assert [inbound.message_id for inbound in written] == [f"load-r1-hot-0-{place}" for place in range(100)]
