"""Threads for calls that block: started when needed, gone when idle, never in the way of the process's end."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable

IDLE_S = 30.0
Job = Callable[[], Callable[[], None]]
"""Work, which returns what tells of its end; that is called when the work no longer counts. Neither may raise."""


class Task:
    """A job that is either run once or cancelled, whichever is claimed first."""

    def __init__(self, job: Job) -> None:
        self._job: Job | None = job
        self._claim = threading.Lock()
        self._context = contextvars.copy_context()

    def run(self) -> Callable[[], None]:
        """Run the job in its submitter's context unless it was cancelled, and return what tells of its end."""
        if self._claim.acquire(blocking=False) and self._job is not None:
            return self._context.run(self._job)
        return _nothing

    def cancel(self) -> bool:
        """Return whether the job will never run; if so, forget what it held."""
        if not self._claim.acquire(blocking=False):
            return False
        self._job = None
        return True


class Pool:
    """At most ``size`` threads that take jobs in turn.

    Threads are daemons: one that hangs in a native call does not keep the process from ending.
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._waiting = 0
        self._running = 0
        self._idle = 0
        self._threads = 0
        self._is_closed = False

    @property
    def load(self) -> int:
        """How many jobs wait or run; a cancelled one counts until a thread has passed over it."""
        return self._waiting + self._running

    def submit(self, job: Job) -> Task:
        """Have the job run by an idle thread, a new one, or the next one that is free."""
        task = Task(job)
        with self._lock:
            self._waiting += 1
            self._tasks.put(task)
            if self._idle < self._waiting and self._threads < self._size:
                self._threads += 1
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return task

    def close(self) -> None:
        """Let the threads end after what was submitted before."""
        with self._lock:
            self._is_closed = True
            for _ in range(self._threads):
                self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            tell = task.run()
            with self._lock:
                self._running -= 1
            tell()

    def _next(self) -> Task | None:
        """Return the next task, or ``None`` when this thread has left the pool."""
        while True:
            with self._lock:
                self._idle += 1
            try:
                task = self._tasks.get(timeout=IDLE_S)
            except queue.Empty:
                task = None
            with self._lock:
                self._idle -= 1
                if task is not None:
                    self._waiting -= 1
                    self._running += 1
                    return task
                if self._is_closed or not self._waiting:
                    self._threads -= 1
                    return None


def _nothing() -> None:
    """Tell nobody: the job was cancelled."""
