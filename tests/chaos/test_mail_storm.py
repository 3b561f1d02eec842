"""Kill the mail door and workers while mails come in by LMTP; `python -m ops.lab.mail_storm` is the whole storm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.lab.mail_storm import storm

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(300)
def test_of_mails_that_come_while_everything_is_killed_none_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    findings = storm(tmp_path, mails=40, conversations=4, kills=4, seed=7)

    assert findings.is_good, findings
    assert findings.kills > 1
    assert findings.attempts > findings.mails
