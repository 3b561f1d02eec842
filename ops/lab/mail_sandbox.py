"""Try e-mail in the sandbox: a mailbox whose relay is a server of ours, which prints and keeps what is answered.

Mails to it are taken by `fte receive email`, which `fte up` runs as soon as there is a mailbox.
"""

from __future__ import annotations

from contextlib import contextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.lab.mail_server import MailServer, RelayedMail
from ops.lab.sandbox_parts import SandboxHint, SandboxPlace, connect_account

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIL_DOMAIN: Final = "sandbox.example"
MAILBOX: Final = f"support@{MAIL_DOMAIN}"
FOLDER: Final = "sandbox-mail"
"""Where mails that were sent lie, below the state folder: 0001.eml, 0002.eml …"""

MAILS_KEPT_MAX: Final = 1_000


@contextmanager
def run_mail_sandbox(place: SandboxPlace) -> Iterator[SandboxHint]:
    """Run a relay, and connect a mailbox to it; what is sent is printed, and kept as files."""
    folder = place.settings.state_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    numbers = iter(range(_last_number(folder) + 1, MAILS_KEPT_MAX))

    def keep(mail: RelayedMail) -> None:
        number = next(numbers, None)
        if number is not None:
            (folder / f"{number:04}.eml").write_bytes(mail.content)
        place.say(f"email  {_summary_of(mail)}")

    with place.portal.wrap_async_context_manager(MailServer(on_mail=keep).listening()) as server:
        settings = {
            "addresses": [MAILBOX],
            "domain": MAIL_DOMAIN,
            "relay_host": "127.0.0.1",
            "relay_port": server.port,
            "relay_security": "none",
        }
        account_id = connect_account(place, "email", "domain", settings, {})
        mail = f"From: maya@example.org\\nTo: {MAILBOX}\\nSubject: Bags\\n\\nHow much is a second bag?\\n"
        envelope = f"--mail-from maya@example.org --mail-rcpt {MAILBOX}"
        yield SandboxHint(
            f"e-mail to {MAILBOX}, account {account_id}; answers lie in {folder}",
            f"printf '{mail}' | curl smtp://{place.settings.mail_door_listen} {envelope} --crlf -T -",
        )


def _last_number(folder: Path) -> int:
    return max((int(file.stem) for file in folder.glob("[0-9]*.eml") if file.stem.isdigit()), default=0)


def _summary_of(mail: RelayedMail) -> str:
    read = message_from_bytes(mail.content, policy=policy.default)
    body = read.get_body(("plain",))
    text = body.get_content() if body is not None else ""
    return f"to {', '.join(mail.recipients)}: {read['Subject']}: {' '.join(text.split())}"
