"""Record what mail systems report about replies that went out; the process that delivers acts on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

if TYPE_CHECKING:
    from producer.channels.email.reports import MailReport, MailReportKind
    from runtime.channel_accounts import ChannelAccount
    from runtime.database import Database

RANKS: Final[dict[MailReportKind, int]] = {"delayed": 1, "delivered": 2, "failed": 3, "complaint": 4}
"""How far a report is: one only counts when none that is further came before it."""

_log = structlog.get_logger("fte.mail")


async def record_report(database: Database, account: ChannelAccount, report: MailReport) -> bool:
    """Record a report for an account that this process speaks for; return whether its reply is known.

    A failure or a complaint is acted upon by `fte deliver email`: its code tells it what to do. Recording one again
    changes nothing.
    """
    code = {"failed": report.status or "failed", "complaint": "complaint"}.get(report.kind)
    rows = await database.read(
        account.tenant,
        "note_mail_report",
        tenant=account.tenant,
        account_id=account.account_id,
        reply_id=report.reply_id,
        status=report.kind,
        rank=RANKS[report.kind],
        code=code,
        receipt={"failed": "bounced", "delivered": "delivered"}.get(report.kind),
    )
    _log.info(
        "mail.report",
        tenant=account.tenant,
        account=account.account_id,
        reply_id=report.reply_id,
        kind=report.kind,
        code=code,
        known=bool(rows),
    )
    return bool(rows)
