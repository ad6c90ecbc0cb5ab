"""Where quotes open and close, in a text that may be anything: nested, escaped, cut off, prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final, NamedTuple

_PREFIXES: Final = frozenset("bBeEfFnNrRuU")


class Quoted(NamedTuple):
    """A quoted text: where its value starts and ends, and the quotes around it."""

    start: int
    end: int
    quote: str


@cache
def _tokens(signs: str) -> re.Pattern[str]:
    return re.compile(rf"\\{{0,7}}[{signs}]")


def find_quoted(text: str, signs: str) -> Iterator[Quoted]:
    """Yield what stands between such quotes; an apostrophe in a word is none.

    A quote before a word, inside of a quoted text, opens another one in it. What is never closed
    ends at the last quote that could close it, else with the text.
    """
    opened: Quoted | None = None
    depth = last = 0
    for token in _tokens(signs).finditer(text):
        quote = token.group()
        may_open = _may_open(text, token.start())
        may_close = token.end() == len(text) or not _is_word(text[token.end()])
        if opened is None:
            if may_open:
                opened, depth, last = Quoted(token.end(), len(text), quote), 1, 0
        elif quote == opened.quote and may_close:
            depth, last = depth - 1, token.start()
            if not depth:
                yield opened._replace(end=token.start())
                opened = None
        elif quote == opened.quote and may_open:
            depth += 1
    if opened is not None:
        yield opened._replace(end=last or len(text))


def _may_open(text: str, at: int) -> bool:
    """Say whether a quote may stand there: before a word, also as in b'…' or f"…"."""
    for _ in range(3):
        if at == 0 or not _is_word(text[at - 1]):
            return True
        if text[at - 1] not in _PREFIXES:
            return False
        at -= 1
    return False


def _is_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"
