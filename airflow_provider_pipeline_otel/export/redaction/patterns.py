"""Patterns that are compiled when they are first used.

All at once they would cost each process 7 ms, and most never meet a text that asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache


def later(pattern: str, flags: int = 0) -> Callable[[], re.Pattern[str]]:
    """Return a function that returns the compiled pattern, and compiles it once."""
    return cache(lambda: re.compile(pattern, flags))
