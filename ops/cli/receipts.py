"""Print receipts as messages are accepted or refused."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from ops.terminal import open_console, plain, print_line
from runtime.encoding import dump_json
from schema.errors import FteError, InvalidMessage
from schema.messages.receipt import Receipt


class ReceiptPrinter:
    """Prints one line for each receipt or refusal, and counts them."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = open_console()
        self._counts = {"accepted": 0, "duplicate": 0, "refused": 0}

    def print(self, line: int, result: Receipt | FteError) -> None:
        """Print the outcome of the message on this line of the input."""
        self._counts[result.status if isinstance(result, Receipt) else "refused"] += 1
        if self._as_json:
            print_line(result.model_dump_json() if isinstance(result, Receipt) else dump_json(_refusal(line, result)))
        elif isinstance(result, Receipt):
            colour = "green" if result.status == "accepted" else "yellow"
            place = (f"  #{result.position}  {result.message_id}", "dim")
            self._print_status(result.status, colour, result.conversation, place)
        else:
            self._print_status("refused", "red", f"line {line}: {plain(str(result))}")

    def _print_status(self, status: str, colour: str, *parts: str | tuple[str, str]) -> None:
        self._console.print(Text.assemble((f"{status:<9}  ", colour), *parts), soft_wrap=True)

    def finish(self) -> int:
        """Print the totals when there was more than one message; return how many were refused."""
        if not self._as_json and sum(self._counts.values()) > 1:
            summed = ", ".join(f"{count:,} {name}" for name, count in self._counts.items() if count)
            self._console.print(f"[dim]{summed}[/]")
        return self._counts["refused"]


def _refusal(line: int, error: FteError) -> dict[str, Any]:
    field = {"field": error.field} if isinstance(error, InvalidMessage) else {}
    return {"error": str(error), **field, "line": line}
