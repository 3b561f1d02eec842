from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.channels.email.mail_reading import read_mail
from producer.channels.email.quotations import CUT_OFF, LINES_MAX, trim
from tests.unit.mail_cases import html_mail, mail

BLOCK = "Larkfield Air <support@air.example>"


def read_shapes(file: str) -> dict[str, str]:
    """Read texts by name from a file beside this one."""
    _, *shapes = (Path(__file__).parent / file).read_text(encoding="utf-8").split("\n=== ")
    return {name: text for name, _, text in (shape.partition("\n") for shape in shapes)}


TOP_POSTED = read_shapes("mail_quotations.txt")


@pytest.mark.parametrize("program", TOP_POSTED)
def test_of_an_answer_above_a_quotation_the_answer_is_left(program: str) -> None:
    assert trim(TOP_POSTED[program], 20_000) == "Yes"


KEPT = {
    "answers between": (
        "> Which seat?\n12A\n> Which day?\nMonday\n> Regards\n",
        "> Which seat?\n12A\n\n> Which day?\nMonday",
    ),
    "answer below": (
        f"On 4 May 2026, {BLOCK} wrote:\n> Which seat?\n\nThe window one.\n",
        "> Which seat?\nThe window one.",
    ),
    "greeting above and answers between": (
        f"Hello,\n\nOn 4 May 2026, {BLOCK} wrote:\n> Which seat?\n12A\n",
        "Hello,\n\n> Which seat?\n12A",
    ),
    "answer below with a signature": ("> Which seat?\n12A\n-- \nAda\n", "> Which seat?\n12A"),
    "a nested quotation": (">> Old\n> Newer?\nYes\n", "> Newer?\nYes"),
    "a long quoted line is cut": ("> " + "x" * 300 + "\nYes\n", "> " + "x" * 199 + "…\nYes"),
    "a forwarded mail alone": (
        "-----Original Message-----\nFrom: A\nSent: b\nTo: c\nSubject: d\n\nMy bag is lost.\n",
        "My bag is lost.",
    ),
    "a quotation alone": ("> My bag is lost.\n> Help me.\n", "My bag is lost.\nHelp me."),
    "a signature alone": ("-- \nAda\n", "--\nAda"),
    "prose that begins with From": (
        "From: what I read, bags are free.\nIs that so?",
        "From: what I read, bags are free.\nIs that so?",
    ),
    "two keys in prose": ("From: Boston\nTo: Denver\nI want to fly.", "From: Boston\nTo: Denver\nI want to fly."),
    "prose with wrote": (
        "On Monday your colleague wrote:\nbags are free. Is that so?",
        "On Monday your colleague wrote:\nbags are free. Is that so?",
    ),
    "a list with dashes": ("I need:\n- a seat\n- a bag\n", "I need:\n- a seat\n- a bag"),
    "a rule in the text": ("First.\n\n---\n\nSecond.", "First.\n\n---\n\nSecond."),
    "a text about an iPhone": (
        "I sent it from my iPhone and it was lost in your cabin, can you look?",
        "I sent it from my iPhone and it was lost in your cabin, can you look?",
    ),
    "a confidential question": ("Is this confidential? I want to cancel.", "Is this confidential? I want to cancel."),
    "blank lines collapse": ("a\n\n\n\n\nb", "a\n\nb"),
    "emoji alone": ("👍\n\nOn 4 May 2026, a@b.example wrote:\n> ok?\n", "👍"),
    "a number alone": ("2\n\nOn 4 May 2026, a@b.example wrote:\n> how many?\n", "2"),
    "nothing": ("", ""),
    "blanks": (" \n\t\n", ""),
}


@pytest.mark.parametrize("shape", KEPT)
def test_what_was_written_now_is_kept(shape: str) -> None:
    text, kept = KEPT[shape]

    assert trim(text, 20_000) == kept


MARKED = read_shapes("mail_quotations_html.txt")


@pytest.mark.parametrize("program", MARKED)
def test_a_quotation_marked_in_html_is_left_out(program: str) -> None:
    assert read_mail(html_mail(MARKED[program])).own_text(20_000) == "Yes"


def test_answers_between_quotations_in_html_keep_what_they_answer() -> None:
    quoted = "<blockquote type=cite>{}</blockquote><div>{}</div>"
    html = quoted.format("Which seat?", "12A") + quoted.format("When?", "Monday")

    assert read_mail(html_mail(html)).own_text(20_000) == "> Which seat?\n12A\n\n> When?\nMonday"


@pytest.mark.parametrize("text", ["word " * 10_000, "line\n" * (LINES_MAX + 5)])
def test_a_text_that_is_cut_says_so(text: str) -> None:
    trimmed = trim(text, 20_000)

    assert trimmed.endswith(CUT_OFF)
    assert len(trimmed) <= 20_000


lines = st.sampled_from(
    [
        "",
        "Yes",
        "> Shall I?",
        "On 4 May 2026, a@b.example wrote:",
        "From: a",
        "Sent: b",
        "To: c",
        "Subject: d",
        "-- ",
        "-----Original Message-----",
        "Sent from my iPhone",
        "__________________",
        "\x02",
        "word " * 60,
        "👍",
        "> ",
        ">",
    ]
)


@given(st.lists(lines, max_size=30))
def test_a_text_with_words_never_trims_to_nothing_and_nothing_is_made_up(parts: list[str]) -> None:
    text = "\n".join(parts)

    trimmed = trim(text, 5_000)

    assert bool(trimmed.strip("> \n\x02")) == bool(text.replace("\x02", "").strip("> \n"))
    said = {line.strip("> \t…") for line in text.split("\n")}
    assert all(any(line.strip("> …") in one for one in said) for line in trimmed.split("\n") if line != CUT_OFF)


@given(st.text(max_size=400))
def test_trimming_twice_takes_no_more_away_than_once(text: str) -> None:
    once = read_mail(mail("Content-Type: text/plain; charset=utf-8", body=text.encode("utf-8", "replace"))).own_text(
        20_000
    )

    assert len(once) <= 20_000
