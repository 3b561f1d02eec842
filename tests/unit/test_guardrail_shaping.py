"""A model's text becomes plain text: no thoughts, no templates, no markup, nothing invisible."""

from __future__ import annotations

import pytest

from worker.guardrails.shaping import shape_reply

BAG = "A bag may weigh 50 lbs."


@pytest.mark.parametrize(
    "text",
    [
        f"<think>\nOkay, the customer asks about bags.\n</think>\n\n{BAG}",
        f"I should be short.\n</think>\n\n{BAG}",
        f"<|channel|>analysis<|message|>Need to answer<|end|><|start|>assistant<|channel|>final<|message|>{BAG}",
        f"{BAG}</s>[INST] thanks [/INST] You are welcome.",
        f"<s>{BAG}",
        f"{BAG}\n\nCustomer: And what about skis?\nAgent: Skis are free of charge.",
        f"Assistant: {BAG}",
        f'{{"answer": "{BAG}"}}',
        f'```json\n{{"reply": "{BAG}"}}\n```',
        "**A bag** may weigh _50 lbs_.",
        "<b>A bag</b> may weigh 50 lbs.",
        f"![bag](https://x.example/b.png)\n\n{BAG}",
        f"{BAG}<script>alert(1)</script><iframe src=x></iframe>",
        "A bag may weigh 50 lbs&#46;",
        "A b\u200bag may weigh 50 lbs.\ufeff \U0001f600",
        f"> {BAG}",
        f"# {BAG}",
    ],
)
def test_what_is_left_is_the_answer(text: str) -> None:
    assert shape_reply(text) == BAG


@pytest.mark.parametrize(
    "text",
    [
        BAG,
        f"{BAG}\n\nSource: Baggage \u203a Overweight bags",
        "1. LF120 at 08:10\n2. LF122 at 16:15\n\nWhich one?",
        "- Refund: $535\n- To: card ending in 4242\n\nShall I?",
        "Thank you, sky_lark_9; 5 * 3 bags at 10 % \u2026 \u201cquoted\u201d",
        "Nguy\u1ec5n, you are in 6A \u2013 enjoy!",
        "Option 1: LF232 MIA 08:50 to DFW 10:35, economy $173",
    ],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert shape_reply(text) == text


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Two:\n\n* **LF120**\n* LF122\n\nWhich?", "Two:\n\n- LF120\n- LF122\n\nWhich?"),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |\n\n**x**", "a, b\n1, 2\n\nx"),
        ("See [our page](https://x.example/a).", "See our page (https://x.example/a)."),
        ("* a\n  * b\n* c", "- a\n  - b\n- c"),
    ],
)
def test_lists_tables_and_links_keep_what_they_say(text: str, plain: str) -> None:
    assert shape_reply(text) == plain


@pytest.mark.parametrize("text", ["", " \n", "\u200b\ufeff", "<think>nothing else", "<script>x</script>"])
def test_nothing_for_the_customer_is_empty(text: str) -> None:
    assert shape_reply(text) == ""


def test_half_a_reply_before_a_template_is_no_reply() -> None:
    assert "[INST]" in shape_reply("A bag may</s>[INST] more [/INST]")
