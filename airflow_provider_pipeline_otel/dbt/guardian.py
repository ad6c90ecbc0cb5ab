"""Stands between a task and dbt, and outlives a killed task: no dbt goes on without its task.

A program of its own, with the standard library alone: `python -I -S guardian.py GRACE PARENT
COMMAND…`. It
ends dbt (SIGINT, then SIGTERM, then SIGKILL, to its whole process group) when it is told to by
SIGTERM, or when its parent is gone: Airflow kills a marked or cleared task 5 s after SIGTERM, and a
task that is out of memory at once. Its exit code is dbt's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

_LOOK = 0.5
"""Seconds between two looks at the parent; signals are acted on at once."""

_AFTER_SIGTERM = 2.0
_NOT_FOUND = 127  # as a shell has it
_SIGNALS = frozenset({signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


def main(grace: float, parent: int, command: list[str]) -> int:
    """Run the command to its end, or end it; return its exit code, 128 + n after signal n."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        dbt = subprocess.Popen(  # noqa: S603  the user's own command
            command,
            process_group=0,
            stdin=subprocess.DEVNULL,
            preexec_fn=_unblock,  # noqa: PLW1509  there is one thread
        )
    except OSError as error:
        fault = f"{command[0]!r} can't be started ({error.strerror}): set dbt_executable"
        sys.stderr.write(f"{fault}\n")
        return _NOT_FOUND
    while dbt.poll() is None:
        received = signal.sigtimedwait(_SIGNALS, _LOOK)
        told = received is not None and received.si_signo != signal.SIGCHLD
        if told or os.getppid() != parent:
            _end(dbt, grace)
    _kill_group(dbt.pid)
    return dbt.returncode if dbt.returncode >= 0 else 128 - dbt.returncode


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _end(dbt: subprocess.Popen[bytes], grace: float) -> None:
    for number, patience in ((signal.SIGINT, grace), (signal.SIGTERM, _AFTER_SIGTERM)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(dbt.pid, number)
        until = time.monotonic() + patience
        while dbt.poll() is None and time.monotonic() < until:
            signal.sigtimedwait({signal.SIGCHLD}, min(_LOOK, max(until - time.monotonic(), 0)))
        if dbt.poll() is not None:
            return
    _kill_group(dbt.pid)
    dbt.wait()


def _kill_group(group: int) -> None:
    """What dbt has started ends with it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
