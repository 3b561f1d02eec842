"""The `fte` command. Each command imports what it needs when it runs, so that `fte --help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import NoReturn

import typer

from ops.cli.audit import audit
from ops.cli.channels import channels
from ops.cli.chaos import chaos
from ops.cli.chat import chat
from ops.cli.dead import dead
from ops.cli.deliver import deliver
from ops.cli.demo import demo
from ops.cli.doctor import doctor
from ops.cli.gateway import gateway
from ops.cli.inbox import inbox
from ops.cli.kb import kb
from ops.cli.keys import keys
from ops.cli.llm_sim import llm_sim
from ops.cli.load import load
from ops.cli.metrics import metrics
from ops.cli.migrate import key, migrate
from ops.cli.model import model
from ops.cli.ownership import hand_back, resolve, takeover
from ops.cli.people import people
from ops.cli.privacy import privacy
from ops.cli.receive import receive
from ops.cli.send import send
from ops.cli.settings import settings
from ops.cli.show import show
from ops.cli.simulate import simulate
from ops.cli.status import status, top
from ops.cli.streams import events, replies
from ops.cli.switches import pause, resume, switches
from ops.cli.tenant import tenants
from ops.cli.tickets import escalations
from ops.cli.trace import trace
from ops.cli.up import up
from ops.cli.usage import usage
from ops.cli.verify import verify
from ops.cli.webhooks import webhooks
from ops.cli.worker import worker
from ops.cli.workers import workers
from runtime.garbage import expect_much

_TRY = "Try it"
_TALK = "Messages in, answers out"
_LOOK = "Conversations"
_RUN = "Run it"

app = typer.Typer(
    help="A digital employee for an airline's customer support.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # it shows the values of variables, and those may be customers' secrets
    context_settings={"help_option_names": ["-h", "--help"]},
)
_PANELS: dict[str, dict[str, Callable[..., None]]] = {
    _TRY: {"demo": demo, "chat": chat, "load": load, "simulate": simulate, "chaos": chaos},
    _TALK: {"send": send, "replies": replies, "events": events},
    _LOOK: {
        "show": show,
        "trace": trace,
        "takeover": takeover,
        "hand-back": hand_back,
        "resolve": resolve,
        "usage": usage,
    },
    _RUN: {
        "up": up,
        "worker": worker,
        "gateway": gateway,
        "metrics": metrics,
        "llm-sim": llm_sim,
        "migrate": migrate,
        "key": key,
        "settings": settings,
        "status": status,
        "top": top,
        "doctor": doctor,
        "verify": verify,
        "pause": pause,
        "resume": resume,
    },
}
for _panel, _commands in _PANELS.items():
    for _name, _command in _commands.items():
        app.command(_name, rich_help_panel=_panel)(_command)
app.add_typer(escalations, name="escalations", rich_help_panel=_TALK)
app.add_typer(channels, name="channels", rich_help_panel=_TALK)
app.add_typer(webhooks, name="webhooks", rich_help_panel=_TALK)
app.add_typer(inbox, name="inbox", rich_help_panel=_LOOK)
app.add_typer(people, name="people", rich_help_panel=_LOOK)
app.add_typer(dead, name="dead", rich_help_panel=_LOOK)
app.add_typer(privacy, name="privacy", rich_help_panel=_LOOK)
app.add_typer(kb, name="kb", rich_help_panel=_LOOK)
app.add_typer(model, name="model", rich_help_panel=_RUN)
app.add_typer(tenants, name="tenant", rich_help_panel=_RUN)
app.add_typer(keys, name="keys", rich_help_panel=_RUN)
app.add_typer(audit, name="audit", rich_help_panel=_RUN)
app.add_typer(switches, name="switches", rich_help_panel=_RUN)
app.add_typer(workers, name="workers", rich_help_panel=_RUN)
app.add_typer(deliver, name="deliver", rich_help_panel=_RUN)
app.add_typer(receive, name="receive", rich_help_panel=_RUN)


def run(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line (`arguments`, without the program's name) and exit: the entry point.

    An expected error is one line on standard error, with the exit code from `ops.cli.failure`. Any other is a bug of
    this program and shows its traceback.
    """
    expect_much()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows a question mark
    try:
        app(args=arguments, prog_name="fte")
    except Exception as error:
        from ops.cli.failure import describe, exit_code_of

        code = exit_code_of(error)
        if code is None:
            raise
        print(f"fte: {describe(error)}", file=sys.stderr)  # noqa: T201 - the command's output
        sys.exit(code)
    sys.exit(0)


if __name__ == "__main__":
    run()
