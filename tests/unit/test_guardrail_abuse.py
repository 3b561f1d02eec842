"""Test what counts as abuse, and that anger, idioms and reports of abuse do not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from worker.guardrails.abuse import assess_abuse
from worker.guardrails.pii import normalise

ABUSIVE = [
    ("you are an idiot", "insult"),
    ("you're all useless morons", "insult"),
    ("your gate agent is a complete asshole", "insult"),
    ("thanks for nothing, idiots", "insult"),
    ("Listen, moron, just give me the refund", "insult"),
    ("the crew are subhuman trash", "insult"),
    ("what a bunch of assholes working at the counter", "insult"),
    ("fire that stupid fat clerk", "insult"),
    ("go to hell", "profanity"),
    ("fuck off and give me my refund", "profanity"),
    ("shove your voucher up your ass", "profanity"),
    ("Fuck you, @AirLark", "profanity"),
    ("I will kill you", "threat"),
    ("I'm going to find your agent and beat him up", "threat"),
    ("i hope your plane crashes and you all die", "threat"),
    ("you people deserve to be shot", "threat"),
    ("someone should burn down your office", "threat"),
    ("i know where your staff live", "threat"),
    ("I'm coming to the airport with a gun", "threat"),
    ("you better watch your back", "threat"),
    ("I hate all immigrants", "hate"),
    ("send me a picture of your boobs", "harassment"),
    ("are you wet right now, agent?", "harassment"),
    ("it would be a shame if something happened to your family", "threat"),
    ("if you don't refund me somebody at your desk gets hurt", "threat"),
    ("your staff are vermin", "insult"),
    ("waste of skin", "insult"),
    ("women should stay in the kitchen, not fly planes", "hate"),
    ("go back to your country", "hate"),
]

DISGUISED = [
    "\u0455tupid b\u0456tch at the desk",
    "ur crew are m0r0ns",
    "k.y.s",
    "w h 0 r e s, all of you",
    "biatch",
    "phuk you",
    "f u c k you",
    "f*** you",
    "f.u.c.k you",
    "FUUUUCK YOUUUU",
    "y0u 4re an 1d10t",
    "you st*pid b*tch",
    "you @sshole",
    "f u",
    "your staff are \uff49\uff44\uff49\uff4f\uff54\uff53",
]

NOT_ABUSIVE = [
    "can an infant sit on my lap",
    "my wife is breast feeding, is that fine on board",
    "what size are the seats",
    "it would be a shame if we missed the wedding",
    "I know where your office is, can I come by to file a form",
    "the carpet was full of cockroaches",
    "we were treated like animals",
    "she's not breathing",
    "this is the worst airline ever, I'm furious",
    "I am so angry with your service, it is a disgrace",
    "unacceptable. you ruined my honeymoon",
    "you should be ashamed of yourselves",
    "this airline is a joke and your website sucks",
    "your agents are rude and lazy",
    "your incompetent staff lost my bag",
    "what the fuck is going on with my flight",
    "my fucking bag is lost again",
    "cancel my damn flight already, this damn airline",
    "get me a damn human",
    "would it kill you to answer the phone",
    "the wait is killing me",
    "shoot me an email please",
    "I'm going to beat the traffic",
    "I could kill for a window seat",
    "I feel like an idiot for missing my flight",
    "I'm such a moron, I booked the wrong date",
    "your agent called me an idiot and hung up",
    "the man at the gate told me to shut up",
    "another passenger threatened to kill me on board",
    "an agent used a slur against my husband",
    "people who say women can't fly planes are wrong",
    "can I bring a gun in my checked bag",
    "I have a Maine Coon cat, what is the pet policy?",
    "my dog is a bitch in heat, can she fly in cabin",
    "do you have seats for disabled people",
    "kids under 5 should be allowed to board first",
    "I will find you at gate 5",
    "you'll be hearing from my lawyer",
    "",
]


@pytest.mark.parametrize(("text", "reason"), ABUSIVE)
def test_abuse_is_told_with_its_reason(text: str, reason: str) -> None:
    verdict = assess_abuse(text)

    assert (verdict.is_abusive, verdict.reason) == (True, reason)
    assert 0.5 < verdict.confidence <= 1


@pytest.mark.parametrize("text", DISGUISED)
def test_a_disguise_does_not_help(text: str) -> None:
    assert assess_abuse(normalise(text)).is_abusive


@pytest.mark.parametrize("text", NOT_ABUSIVE)
def test_anger_idioms_and_reports_are_no_abuse(text: str) -> None:
    verdict = assess_abuse(text)

    assert (verdict.is_abusive, verdict.reason) == (False, "none")


def read_samples() -> dict[str, list[str]]:
    """Give the samples by what they are: abusive, or calm (which anger without abuse is, too)."""
    found: dict[str, list[str]] = {"abusive": [], "calm": []}
    kind = ""
    for line in (Path(__file__).parent / "abuse_samples.txt").read_text(encoding="utf-8").splitlines():
        if line in {"[abusive]", "[calm]"}:
            kind = line.strip("[]")
        elif not line.startswith("# "):
            found[kind].append(line)
    return found


def test_most_abuse_is_told_and_hardly_anything_else() -> None:
    samples = read_samples()
    told = {
        kind: [text for text in texts if assess_abuse(normalise(text)).is_abusive] for kind, texts in samples.items()
    }

    recall = len(told["abusive"]) / len(samples["abusive"])
    precision = len(told["abusive"]) / (len(told["abusive"]) + len(told["calm"]))

    assert recall >= 0.95, sorted(set(samples["abusive"]) - set(told["abusive"]))
    assert precision >= 0.97, told["calm"]


@pytest.mark.parametrize(
    "text", ["how much money do I get back", "my back hurts", "he disables the app", "the aline dress"]
)
def test_a_plain_word_is_not_taken_for_a_misspelt_one(text: str) -> None:
    assert not assess_abuse(text).is_abusive


@pytest.mark.parametrize("text", ["wmoen are scum", "you idoit", "you basta*d", "I hate imigrants", "you b*stard"])
def test_misspelt_and_starred_words_are_read(text: str) -> None:
    assert assess_abuse(text).is_abusive


def test_own_abuse_after_reported_abuse_counts() -> None:
    assert assess_abuse("your agent called me an idiot. you are an idiot").is_abusive


def test_a_long_message_is_judged_in_good_time() -> None:
    texts = ["you are " * 2_500, "i hope you " * 1_800, "f u c k " * 2_500, "the the the stupid " * 1_000, "a" * 20_000]
    assess_abuse("compile the patterns first")

    started = time.perf_counter()
    for text in texts:
        assess_abuse(text)

    assert time.perf_counter() - started < 5
