from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from ops.lab.bench.cpu import ThreadTimes, read_thread_times


def test_of_each_process_the_thread_that_ran_most_counts() -> None:
    before = ThreadTimes({1: {"1": (5.0, 1.0), "2": (0.0, 0.0)}, 2: {"3": (1.0, 1.0)}})
    after = ThreadTimes({1: {"1": (5.5, 9.0), "2": (2.0, 0.5)}, 2: {"3": (2.0, 4.0)}, 3: {"4": (1.0, 0.25)}})

    assert after.busiest_since(before) == (2.0 + 1.0 + 1.0, 0.5 + 3.0 + 0.25)


def test_without_any_thread_nothing_ran() -> None:
    assert ThreadTimes({7: {}}).busiest_since(ThreadTimes({})) == (0.0, 0.0)


@pytest.mark.skipif(sys.platform != "linux", reason="its scheduler is asked")
def test_what_this_process_computes_counts_as_time_it_ran() -> None:
    before = read_thread_times([os.getpid()])
    began = time.thread_time()
    while time.thread_time() - began < 0.05:
        pass

    ran, waited = read_thread_times([os.getpid()]).busiest_since(before)

    assert str(threading.get_native_id()) in before.by_process[os.getpid()]
    assert ran >= 0.04
    assert waited >= 0


def test_a_process_that_is_gone_has_no_threads() -> None:
    assert read_thread_times([2**22 + 1]).by_process == {2**22 + 1: {}}
