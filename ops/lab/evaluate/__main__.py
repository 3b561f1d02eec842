"""Run the evaluation: `python -m ops.lab.evaluate [FOLDER …]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ops.lab.evaluate.abuse import measure_abuse
from ops.lab.evaluate.conversations import judge_conversations
from ops.lab.evaluate.emergency import measure_emergency
from ops.lab.evaluate.faq import measure_faq
from ops.lab.evaluate.figures import Figure, Measured, Miss
from ops.lab.evaluate.judging import judge
from ops.lab.evaluate.picture import draw_confusion
from ops.lab.evaluate.pii import measure_pii
from ops.lab.evaluate.playing import PlayedSet, play_all
from ops.lab.evaluate.replies import measure_replies
from ops.lab.evaluate.report import as_object, print_confusion, print_figures, print_misses
from ops.lab.evaluate.sets import OUR_SETS, LabelledSets, read_sets
from ops.lab.evaluate.triage import COLUMNS, LABELS, Triaged, measure_triage
from ops.terminal import WIDTH_MAX, open_console, print_line, tell_on
from runtime.encoding import dump_json

OURS = "ours"
PICTURES = Path("build/evaluation")


def main(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="FOLDER…", help="Labelled sets beside ours.")] = None,
    pictures: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the pictures go.")] = PICTURES,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what was missed, with its text.")] = False,  # noqa: FBT002 - Typer's form
    messages_only: Annotated[bool, typer.Option("--messages-only", help="Play no questions and no dialogues.")] = False,  # noqa: FBT002 - as above
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - as above
) -> None:
    """Measure guardrails, triage, answers and whole dialogues on labelled sets; exit with 1 when a target is missed."""
    console = open_console(stderr=as_json)
    if not console.is_terminal:
        console.width = WIDTH_MAX  # a file has no width of its own, and a table cut short is no record
    sets = _read_all(folders or [])
    figures: dict[str, Sequence[Figure]] = {}
    misses: dict[str, Sequence[Miss]] = {}
    triaged = {one.name: measure_triage(one.triage) for one in sets if one.triage}
    played = {} if messages_only else _play(sets, console)
    for one in sets:
        parts = [*_measure(one, triaged.get(one.name)), *_judge(one, played.get(one.name, PlayedSet()))]
        figures[one.name] = [figure for part in parts for figure in part.figures]
        misses[one.name] = [miss for part in parts for miss in part.misses]
    print_figures(console, figures)
    for name, found in triaged.items():
        print_confusion(console, name, found.confusion)
    for path in _draw(triaged, pictures):
        console.print(f"confusion matrix: {path}")
    if verbose:
        for name, missed in misses.items():
            print_misses(console, name, missed)
    if as_json:
        print_line(dump_json(as_object(figures)))
    if any(figure.is_missed for measured in figures.values() for figure in measured):
        raise typer.Exit(1)


def _read_all(folders: Sequence[Path]) -> list[LabelledSets]:
    """Read our sets and those of every folder, each under a name of its own."""
    sets = [read_sets(OUR_SETS, OURS)]
    for folder in folders:
        name = folder.resolve().name
        same = sum(one.name.split(" ")[0] == name for one in sets)
        sets.append(read_sets(folder, f"{name} {same + 1}" if same else name))
    return sets


def _play(sets: Sequence[LabelledSets], console: Console) -> dict[str, PlayedSet]:
    wanted = [one for one in sets if one.dialogues or one.faq or one.conversations]
    return play_all(wanted, say=tell_on(console)) if wanted else {}


def _judge(labelled: LabelledSets, played: PlayedSet) -> list[Measured]:
    return [
        *([measure_faq(labelled.faq, played.questions)] if played.questions else []),
        *([judge(played.dialogues)] if played.dialogues else []),
        *([judge_conversations(played.conversations)] if played.conversations else []),
    ]


def _measure(labelled: LabelledSets, triaged: Triaged | None) -> list[Measured]:
    parts = []
    if labelled.pii:
        parts.append(measure_pii(labelled.pii))
    if labelled.abuse:
        parts.append(measure_abuse(labelled.abuse))
    if labelled.emergency:
        parts.append(measure_emergency(labelled.emergency))
    if labelled.replies:
        parts.append(measure_replies(labelled.replies, labelled.tuned_replies, labelled.reply_contexts))
    if triaged is not None:
        parts.append(triaged.measured)
    return parts


def _draw(triaged: dict[str, Triaged], folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, found in triaged.items():
        path = folder / f"triage-{name}.png"
        accuracy = found.measured.figures[0]
        title = f"Triage on {name}: accuracy {accuracy.value:.3f} on {accuracy.out_of} messages"
        draw_confusion(found.confusion, LABELS, COLUMNS, title, path)
        paths.append(path)
    return paths


if __name__ == "__main__":
    typer.run(main)
