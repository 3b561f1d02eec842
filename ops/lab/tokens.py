"""Measure what a turn asks of a provider, in input tokens by part: `python -m ops.lab.tokens [FOLDER …]`.

The dialogues of the evaluation are played by real workers that ask `fte llm-sim` over HTTP. The simulated provider
counts a token for four characters of all that it is sent; for this product's requests that is within some 7 % of what
the `o200k` tokenizer of OpenAI's models counts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import SecretStr
from rich.table import Table

from ops.lab.evaluate.playing import play_all
from ops.lab.evaluate.sets import OUR_SETS, LabelledSets, read_sets
from ops.lab.llm_sim.child import run_simulator
from ops.terminal import open_console, print_line, tell_on
from runtime.encoding import dump_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ops.lab.evaluate.judging import PlayedTurn
    from ops.standalone.standalone import Say


def main(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="FOLDER…", help="Labelled sets beside ours.")] = None,
    api: Annotated[str, typer.Option(metavar="API", help="openai (Responses) or openai-chat.")] = "openai",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - Typer's form
) -> None:
    """Play the dialogues of the evaluation through a simulated provider, and show a turn's input tokens by part."""
    console = open_console(stderr=as_json)
    sets = [read_sets(OUR_SETS, "ours"), *(read_sets(folder, f"set-{n}") for n, folder in enumerate(folders or [], 1))]
    with run_simulator([]) as url:
        turns = play_dialogues(sets, api, url, say=tell_on(console))
    parts = parts_of(turns)
    if as_json:
        print_line(dump_json({"turns": len(turns), "input_tokens_per_turn": sum(parts.values()), "parts": parts}))
        return
    table = Table("part", box=None, pad_edge=False, header_style="dim")
    table.add_column("tokens a turn", justify="right")
    for part, tokens in sorted(parts.items(), key=lambda each: -each[1]):
        table.add_row(part, f"{tokens:,.0f}")
    console.print(table)
    console.print(f"{sum(parts.values()):,.0f} input tokens a turn, over {len(turns)} turns", markup=False)


def play_dialogues(sets: Sequence[LabelledSets], api: str, url: str, *, say: Say) -> list[PlayedTurn]:
    """Play the dialogues of some sets, and nothing else of them, with the model behind an address; give their turns."""
    dialogues = [replace(one, faq=(), conversations=()) for one in sets if one.dialogues]
    played = play_all(dialogues, say=say, **simulated(api, url))
    return [turn for one in played.values() for dialogue in one.dialogues for turn in dialogue.turns]


def simulated(api: str, url: str) -> dict[str, Any]:
    """Return the settings, by name, that lead workers to the simulated provider at an address."""
    return {"model": f"{api}:sim", "openai_base_url": url, "openai_api_key": SecretStr("simulated")}


def parts_of(turns: Sequence[PlayedTurn]) -> Mapping[str, float]:
    """Return the input tokens of an average turn, by part of its requests."""
    sums: Counter[str] = Counter()
    for turn in turns:
        sums.update(turn.input_parts)
    return {part: tokens / len(turns) for part, tokens in sums.items()}


if __name__ == "__main__":
    typer.run(main)
