"""The deliverer: a process of our own beside the scheduler, which never waits for a collector."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.export.spool import Spool

_COMMAND: Final = ("-m", "airflow_provider_pipeline_otel.cli", "drain", "--watch", "--with-parent")


class Deliverer:
    """Runs `pipeline-otel drain --watch` for as long as the scheduler lives.

    Not a thread: a fork would leave its locks of TLS and DNS locked in the child for ever. And
    `subprocess` forks without running Python's at-fork hooks.
    """

    def __init__(self, settings: Settings, spool: Spool) -> None:
        self._wanted = settings.endpoint is not None and spool.folder is not None
        self._environment = _environment(spool)
        self._process: subprocess.Popen[bytes] | None = None

    def keep_running(self) -> None:
        """Start the process, if there is somewhere to deliver to, and again if it has ended."""
        if not self._wanted:
            return
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and words
                [sys.executable, *_COMMAND],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=self._environment,
                cwd="/",
            )


def _environment(spool: Spool) -> dict[str, str]:
    """Hand down what may stand in airflow.cfg, which the process doesn't read."""
    said = {
        "spool_dir": spool.folder,
        "spool_max_bytes": spool.caps.bytes,
        "spool_max_age": spool.caps.age,
        "spool_max_files": spool.caps.files,
        "keep": spool.caps.kept / 1024 / 1024,
    }
    prefix = "AIRFLOW__PIPELINE_OTEL__"
    return os.environ | {f"{prefix}{name.upper()}": str(value) for name, value in said.items()}
