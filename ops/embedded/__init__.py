"""Run the servers and workers of the whole product on one machine, from Python distributions alone."""

from ops.embedded.errors import EmbeddedStackError, StackHeld, StateFolderRefused
from ops.embedded.stack import EmbeddedStack
from ops.embedded.state import StackAddresses, read_running_stack
from ops.embedded.supervisor import WorkerSupervisor

__all__ = [
    "EmbeddedStack",
    "EmbeddedStackError",
    "StackAddresses",
    "StackHeld",
    "StateFolderRefused",
    "WorkerSupervisor",
    "read_running_stack",
]
