"""Places of a text that a mark is put on."""

from __future__ import annotations

from collections.abc import Iterable


def put_mark(text: str, places: Iterable[tuple[int, int]], mark: str) -> str:
    """Return the text with the mark in each place (start, end); places come in their order."""
    parts: list[str] = []
    done = 0
    for start, end in places:
        parts += (text[done:start], mark)
        done = end
    return "".join((*parts, text[done:])) if parts else text
