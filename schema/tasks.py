"""The doorbell task: its name and its queue."""

from __future__ import annotations

DRAIN_TASK = "fte.drain"
"""Name of the task that takes (tenant, conversation); may be lost, doubled or late.

It has no expiry: that would be compared with the worker's clock, and a worker whose clock is ahead of the senders'
would discard every doorbell. A stale one costs one look at a mailbox.
"""

DOORBELL_QUEUE = "fte.doorbell"
