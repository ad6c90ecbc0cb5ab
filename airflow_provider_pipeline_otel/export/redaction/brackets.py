"""Where a bracket closes, in a text that may be anything."""

from __future__ import annotations

from typing import Final

from airflow_provider_pipeline_otel.export.redaction.patterns import later

_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
_LONGEST: Final = 16384


_signs = later(r"[()\[\]{}]|(?<!\w)(?P<quote>\\{0,7}[\"'])")


def closing_bracket(text: str, start: int) -> int:
    """Return where the bracket at `start` closes; where the text ends, if it doesn't.

    Brackets in quotes don't count, nor do closing ones that close nothing.
    """
    last = min(len(text), start + _LONGEST)
    closers: list[str] = []
    at = start
    while (found := _signs().search(text, at, last)) is not None:
        at, sign = found.end(), found.group()
        if found["quote"]:
            end = text.find(sign, at, last)
            at = end + len(sign) if end >= 0 else at
        elif sign in _PAIRS:
            closers.append(_PAIRS[sign])
        elif sign in closers:
            while closers.pop() != sign:
                pass
            if not closers:
                return found.start()
    return last
