"""Threads for calls that block."""

from __future__ import annotations

import contextvars
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from deltacloud.rpc import pool as pool_module
from deltacloud.rpc.pool import Pool
from harness.waiting import wait_until

WAIT_S = 10


def threads(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())


def job(work: Callable[[], object], tell: Callable[[], None] = lambda: None) -> Callable[[], Callable[[], None]]:
    def run() -> Callable[[], None]:
        work()
        return tell

    return run


def test_jobs_that_wait_for_each_other_run_at_once_each_on_a_thread() -> None:
    pool, together = Pool("together", 20), threading.Barrier(21)
    for _ in range(20):
        pool.submit(job(lambda: together.wait(WAIT_S)))
    together.wait(WAIT_S)
    pool.close()
    wait_until(lambda: threads("together") == 0, "the threads to end")


def test_no_more_threads_run_than_allowed_and_every_job_is_done() -> None:
    pool, most, done = Pool("few", 3), [], []
    for _ in range(200):
        pool.submit(job(lambda: most.append(threads("few")), lambda: done.append(1)))
    wait_until(lambda: len(done) == 200, "the jobs")
    assert max(most) <= 3
    pool.close()


def test_threads_are_made_when_needed_and_used_again() -> None:
    pool, done = Pool("again", 50), threading.Semaphore(0)
    assert threads("again") == 0
    for _ in range(20):
        pool.submit(job(lambda: None, done.release))
        assert done.acquire(timeout=WAIT_S)
    assert threads("again") <= 2
    pool.close()


def test_idle_threads_go_and_the_next_job_is_still_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "IDLE_S", 0.01)
    pool, done = Pool("idle", 5), threading.Semaphore(0)
    for _ in range(3):
        pool.submit(job(lambda: None, done.release))
        assert done.acquire(timeout=WAIT_S)
        wait_until(lambda: threads("idle") == 0, "the thread to go")


def test_a_cancelled_job_never_runs_and_one_that_runs_cannot_be_cancelled() -> None:
    pool, started, gate, ran = Pool("one", 1), threading.Event(), threading.Event(), []

    def hold() -> None:
        started.set()
        gate.wait(WAIT_S)

    first = pool.submit(job(hold))
    second = pool.submit(job(lambda: ran.append("second")))
    third = pool.submit(job(lambda: ran.append("third")))
    assert started.wait(WAIT_S)
    assert not first.cancel()
    assert second.cancel()
    gate.set()
    wait_until(lambda: pool.load == 0, "the jobs")
    assert ran == ["third"]
    assert not third.cancel()
    pool.close()


def test_a_job_counts_until_just_before_its_end_is_told() -> None:
    pool, loads, told = Pool("load", 1), [], threading.Event()

    def tell() -> None:
        loads.append(pool.load)
        told.set()

    pool.submit(job(lambda: loads.append(pool.load), tell))
    assert told.wait(WAIT_S)
    assert loads == [1, 0]
    pool.close()


def test_a_job_sees_its_submitters_context() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    pool, seen, done = Pool("context", 1), [], threading.Event()
    variable.set("mine")
    pool.submit(job(lambda: seen.append(variable.get()), done.set))
    assert done.wait(WAIT_S)
    assert seen == ["mine"]
    pool.close()


def test_a_job_that_hangs_does_not_keep_the_process() -> None:
    program = "import time; from deltacloud.rpc.pool import Pool; Pool('p', 1).submit(lambda: time.sleep(600))"
    subprocess.run([sys.executable, "-c", program], timeout=30, check=True)
