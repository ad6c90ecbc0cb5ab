"""The guard: telemetry never fails, ends or holds up what it looks at."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

P = ParamSpec("P")

log = logging.getLogger(__name__)

_said: Final[set[str]] = set()


def guarded(hook: Callable[P, None]) -> Callable[P, None]:
    """Let nothing out of what Airflow, SQLAlchemy or a signal calls, and say once what went wrong.

    Other BaseExceptions pass: AirflowTaskTimeout is thrown asynchronously, maybe into our code, and
    swallowing it would make a timed-out task run for ever.
    """
    name = getattr(hook, "__name__", type(hook).__name__)

    @wraps(hook)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            hook(*args, **kwargs)
        except (Exception, SystemExit):
            if name not in _said:
                _said.add(name)
                log.warning(
                    "pipeline_otel: %s failed; traces may lack spans",
                    name,
                    exc_info=True,
                )

    return run
