"""The guard: telemetry never fails, ends or holds up what it looks at, and says so at most once."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

P = ParamSpec("P")

log = logging.getLogger(__name__)

_warned: Final[set[int]] = set()
"""The process that has warned; a set, for what is forked from it must be able to warn as well."""


def warn_once(message: str, *values: object, exc_info: bool = False) -> None:
    """Warn in this process's log, if it has not warned yet; else say it at the debug level.

    A task's log belongs to its task: a fault of telemetry, and what follows from it, is one line.
    """
    first = os.getpid() not in _warned
    _warned.add(os.getpid())
    level = logging.WARNING if first else logging.DEBUG
    log.log(level, "pipeline_otel: " + message, *values, exc_info=exc_info)  # noqa: G003


def guarded(hook: Callable[P, None]) -> Callable[P, None]:
    """Let nothing out of what Airflow, SQLAlchemy, the SDK or a signal calls.

    Other BaseExceptions pass: AirflowTaskTimeout is thrown asynchronously, maybe into our code, and
    swallowing it would make a timed-out task run for ever.
    """
    name = getattr(hook, "__name__", type(hook).__name__)

    @wraps(hook)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            hook(*args, **kwargs)
        except (Exception, SystemExit):  # noqa: BLE001  what a guard is for
            warn_once("%s failed; traces may lack spans", name, exc_info=True)

    return run
