"""An operator brings articles in and looks at what a question finds."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.fte_process import Up, new_conversation

KITES = "# Kites\n\n## Taking a kite along\n\nA kite travels as sports equipment and costs $23.\n"


def test_an_imported_article_is_found_and_answers_a_customer_with_its_source(up: Up, tmp_path: Path) -> None:
    (tmp_path / "kites.md").write_text(KITES)

    dry = up.run("kb", "import", str(tmp_path), "--dry-run")
    done = up.run("kb", "import", str(tmp_path))
    again = up.run("kb", "import", str(tmp_path), "--json").lines[0]
    listed = up.run("kb", "list", "--json").lines
    found = up.run("kb", "search", "What does a kite cost?")

    assert dry.output.splitlines()[:2] == ["+ kites", "would be: 1 added, 0 changed, 0 removed, 0 unchanged"]
    assert done.output.splitlines()[:2] == ["+ kites", "1 added, 0 changed, 0 removed, 0 unchanged"]
    assert (again["added"], again["unchanged"]) == ([], ["kites"])
    assert {"kites", "baggage"} <= {article["slug"] for article in listed}
    assert "Kites › Taking a kite along" in found.output
    conversation = new_conversation()
    up.say(conversation, "What does it cost to take a kite along?")
    (reply,) = up.wait_for("replies", conversation, 1)
    assert "$23" in reply["text"]
    assert "Kites › Taking a kite along" in reply["text"]


def test_an_editor_is_told_what_to_mend_and_a_program_by_the_exit_code(up: Up, tmp_path: Path) -> None:
    (tmp_path / "kites.md").write_text(f"---\nkeywords: [balloon]\n---\n{KITES}")

    done = up.run("kb", "check", str(tmp_path))
    found = up.run("kb", "check", str(tmp_path), "--json").lines

    assert done.code == 1
    assert done.output.splitlines() == [
        "few phrasings: kites › Taking a kite along: 0, at least 8",
        "keyword without text: kites: 'balloon'",
        "1 articles checked, 2 things to mend",
    ]
    assert [(one["flaw"], one["slug"]) for one in found] == [
        ("few phrasings", "kites"),
        ("keyword without text", "kites"),
    ]


def test_a_folder_with_a_bad_article_is_refused_in_one_line(up: Up, tmp_path: Path) -> None:
    (tmp_path / "kites.md").write_text("## Nothing else\n\nNo title.\n")

    done = up.run("kb", "import", str(tmp_path))

    assert done.code == 1
    (told,) = done.told.splitlines()
    assert told.startswith(f"fte: {tmp_path}/kites.md: it needs a title")
    assert told.endswith("nothing was imported")
