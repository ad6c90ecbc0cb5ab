"""The fork gate: threads of ours are short, and a fork waits until they are gone.

A child that is forked while another thread holds a lock of TLS, DNS or logging finds it locked for
ever (6 of 2,000 forks beside a TLS connection hung without the gate, none with it). A thread that
ends takes such locks once more after its last Python code: glibc gives its resolver state back,
OpenSSL its thread state (6 of 23,730 forks just then hung in getaddrinfo; of 30,000 that waited for
the kernel to drop the thread, none).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_GRACE: Final = 0.1
"""Seconds that a fork leaves to a request before it is cut off; a good collector needs less."""

_WAIT: Final = 1.0
"""Seconds that a fork waits at most: a look-up in a dead DNS would hold it for longer."""

_PAUSE: Final = 0.0002
_THREADS: Final = Path("/proc/self/task")


class _Gate:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: set[Later] = set()
        self.abort: Callable[[], None] | None = None
        self._ending: set[int] = set()
        self._held = threading.local()  # threads may fork at the same time
        os.register_at_fork(
            before=self._before, after_in_parent=self._after, after_in_child=self._renew
        )

    def work(self, work: Callable[[], object]) -> None:
        """Do the work of a thread that ends then."""
        with self.lock:
            self.ends(threading.get_native_id())
            work()

    def ends(self, thread: int | None) -> None:
        """Note that a thread has not much more to do."""
        if thread is not None:
            self._ending.add(thread)

    def _before(self) -> None:
        until = time.monotonic() + _WAIT
        self._held.lock = self.lock if self._acquire() else None
        self._held.later = [later for later in tuple(self.waiting) if later.interrupt()]
        while self._held.lock and self._drop_ended() and time.monotonic() < until:
            time.sleep(_PAUSE)

    def _acquire(self) -> bool:
        if self.lock.acquire(timeout=_GRACE):
            return True
        abort = self.abort
        if abort is not None:
            abort()
        return self.lock.acquire(timeout=_WAIT - _GRACE)

    def _drop_ended(self) -> set[int]:
        self._ending = {thread for thread in self._ending if (_THREADS / str(thread)).exists()}
        return self._ending

    def _after(self) -> None:
        if self._held.lock is not None:
            self._held.lock.release()
        for later in self._held.later:
            later.resume()

    def _renew(self) -> None:
        self.lock = threading.Lock()
        self.waiting = set()
        self.abort = None
        self._ending = set()


_gate: Final = _Gate()


@contextmanager
def abortable(abort: Callable[[], None]) -> Iterator[None]:
    """Let a fork cut short what is done here, which may take long."""
    _gate.abort = abort
    try:
        yield
    finally:
        _gate.abort = None


def work_within(work: Callable[[], object], seconds: float) -> None:
    """Wait for a work in a thread of its own, which is left behind when the time is up.

    One after the other, where there are several. Where there can be no thread, as when the
    interpreter ends, the work is done here, and must look after its time itself.
    """
    try:
        thread = _start(lambda: _gate.work(work))
    except RuntimeError:
        _gate.work(work)
    else:
        thread.join(seconds)


def _start(run: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=run, name="pipeline_otel-delivery", daemon=True)
    thread.start()
    return thread


class Later:
    """Does a work some seconds after it was asked for, once for all that ask until then.

    And again, if it returns something true.
    """

    def __init__(self, work: Callable[[], object], seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._asked_by = 0
        self._due = 0.0
        self._thread: threading.Thread | None = None
        self._interrupted = threading.Event()

    def ask(self) -> None:
        """Have it done, if nobody in this process has asked already."""
        if self._asked_by != os.getpid():
            self._asked_by = os.getpid()
            self._due = time.monotonic() + self._seconds
            self.resume()

    def interrupt(self) -> bool:
        """Let the thread that waits end, before a fork; say whether it had something to do yet."""
        self._interrupted.set()
        if self._thread is not None:
            _gate.ends(self._thread.native_id)
        return self._asked_by == os.getpid()

    def resume(self) -> None:
        """Wait for the rest of the time, in a thread."""
        self._interrupted = threading.Event()
        self._thread = _start(self._run)
        _gate.waiting.add(self)

    def _run(self) -> None:
        if self._interrupted.wait(max(self._due - time.monotonic(), 0.0)):
            return
        _gate.waiting.discard(self)
        self._asked_by = 0  # who asks from now on may be too late for this time
        _gate.work(self._do)

    def _do(self) -> None:
        if self._work():
            self.ask()  # here, where no fork can come between
