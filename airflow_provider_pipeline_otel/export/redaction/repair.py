"""Texts that break an encoder, a backend or a budget are mended and cut."""

from __future__ import annotations

import re
from typing import Final

MOST_TIME_NS: Final = 2**63 - 1

_SLACK: Final = 256
"""Signs that are looked at beyond a cut: a secret there may be cut in two, and not be known."""

_BAD: Final = re.compile("[\x00\ud800-\udfff]")


def repair_text(text: str) -> str:
    """Return the text without NUL and lone surrogates: databases and protobuf refuse them."""
    if text.isascii() and "\x00" not in text:
        return text
    return _BAD.sub("\ufffd", text)


def begin_cut(text: str, most: int) -> str:
    """Return the text's start with some slack, to be masked before `end_cut`."""
    return text[: most + _SLACK]


def end_cut(masked: str, most: int) -> str:
    """Return what is left of a masked start of a longer text: never its last signs."""
    return masked[: max(min(most, len(masked) - _SLACK), 0)] + "…"
