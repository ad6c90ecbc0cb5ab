"""dbt as a process: started under the guardian, its log and what it prints followed."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.dbt import guardian

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_LOOK: Final = 0.2
"""Seconds between two looks at the log."""

_AFTER_GRACE: Final = 5.0
_PIECE: Final = 1 << 16
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")


class LogFile:
    """dbt's log file, followed from its beginning, over its rotations."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        self._rest = b""

    def lines(self) -> list[bytes]:
        """Return the whole lines that have come since the last call."""
        found: list[bytes] = []
        while True:
            if self._fd < 0 and not self._open():
                return found
            while piece := os.read(self._fd, _PIECE):
                *whole, self._rest = (self._rest + piece).split(b"\n")
                found += whole
            if not self._was_rotated():
                return found
            os.close(self._fd)
            self._fd, self._rest = -1, b""

    def close(self) -> None:
        """Give the file back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> bool:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        return True

    def _was_rotated(self) -> bool:
        try:
            return self._path.stat().st_ino != os.fstat(self._fd).st_ino
        except FileNotFoundError:
            return False


class DbtProcess:
    """dbt under its guardian; what it prints and does is passed on while it is followed."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: str,
        environ: Mapping[str, str],
        grace: float,
        log: Path,
        say: Callable[[str], None],
        on_line: Callable[[bytes], None],
    ) -> None:
        self._grace = grace
        self._say = say
        self._on_line = on_line
        self._log = LogFile(log)
        self._rest = b""
        self.was_told_to_end = False
        guarded_command = [guardian.__file__, str(grace), str(os.getpid()), *command]
        self._process = subprocess.Popen(  # noqa: S603  the user's own command
            [sys.executable, "-I", "-S", *guarded_command],
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def follow(self, seconds: float = float("inf")) -> int | None:
        """Pass on what dbt says until it has ended; return its exit code, None: it goes on."""
        until = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < until:
            self._read_output(_LOOK)
            self._read_log()
        self._read_output(0)
        self._read_log()
        return self._process.returncode

    def end(self) -> None:
        """Tell the guardian to end dbt; returns at once."""
        self.was_told_to_end = True
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def follow_to_end(self) -> int | None:
        """End dbt, and follow it until it is gone, for its grace and 5 s more."""
        self.end()
        return self.follow(self._grace + _AFTER_GRACE)

    def close(self) -> None:
        """Give the log and the pipe back."""
        self._log.close()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read_log(self) -> None:
        for line in self._log.lines():
            self._on_line(line)

    def _read_output(self, timeout: float) -> None:
        """Pass on what has been printed, within so many seconds.

        Not until the end of the pipe: what dbt has started may hold it open for ever.
        """
        output = self._process.stdout
        while output is not None and select.select([output], [], [], timeout)[0]:
            piece = os.read(output.fileno(), _PIECE)
            if not piece:
                time.sleep(timeout)  # closed, while dbt goes on
                break
            *whole, self._rest = (self._rest + piece).split(b"\n")
            for line in whole:
                self._say(_ANSI.sub("", line.decode("utf-8", "replace").rstrip("\r")))
            timeout = 0
