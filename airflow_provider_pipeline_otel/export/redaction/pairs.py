"""Names and their values: what stands behind a name that says it is a secret goes, however quoted.

A value's end is found by reading on from its name, since quotes may be escaped, nested or missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from airflow_provider_pipeline_otel.export.redaction.brackets import closing_bracket
from airflow_provider_pipeline_otel.export.redaction.patterns import later
from airflow_provider_pipeline_otel.export.redaction.places import put_mark

MARK: Final = "[secret]"

_NAMES: Final = (
    r"pass(?:word|wd|phrase|code)|pwd|secret|token|credentials?|signature|passwort|kennwort|cookie2?"
    r"|(?:api|app|application|access|secret|shared|encryption|signing|fernet|auth|subscription)"
    r"[-_.]?key|private[-_.]?key(?:_id|_content)?|account[-_.]?key(?:\.[\w.-]{1,99})?|connect\.sid"
    r"|(?<![a-z])(?:sig|sas|jwt|auth|pass|pw)|sess(?:ion)?[-_]?id|keyfile[-_]?dict|user[-_.]?info"
    r"|connection[-_]?string|authorization|_conn"
)
"""What a name that stands for a secret ends in; `_SUFFIX` may follow."""

_SUFFIX: Final = r"(?:[-_.]?(?:value|hash|string|text|json|base64|b64))?\d{0,2}"
_ANSI: Final = r"(?:(?:\x1b|\\u001b|\\x1b|\\e|\\033)\[[\d;]{0,8}m){0,3}"
_QUOTE: Final = r"(?:\\{0,7}[\"'`])"
_SEPARATOR: Final = "|".join(
    (
        rf"{_QUOTE}?,?(?:\s|\\n){{0,40}}{_QUOTE}?value{_QUOTE}?\s{{0,3}}[:=]\s{{0,3}}",
        rf"{_ANSI}{_QUOTE}?\]?{_ANSI}(?:\s|\\t){{0,3}}(?:=>|:=|->|==?|:)(?![:/]/)\s{{0,3}}",
        r"(?:%22|%27)?(?:%3A|%3D|%253[AD])(?:\+|%20)?",
        rf"{_QUOTE}\s{{0,3}},\s{{0,3}}(?=[bru]{{0,2}}{_QUOTE})",  # ('password', 'x')
        r"(?<=[a-z]),(?=[^\s,)]{1,200}\))",  # (sfPassword,x)
        rf"\s{{1,3}}(?:is\s|by\s)?(?={_QUOTE})",  # IDENTIFIED BY 'x', PASSWORD 'x'
        r"(?:\t|\\t| )[\t ]{1,9}(?=[^\s\\]{8})",  # spark.ssl.keyPassword  x
        r"\s{0,3}</\w{1,40}>\s{0,9}<\w{1,40}>|>",  # <name>…secret</name><value>x
    )
)
_HARMLESS: Final = (
    r"(?:none|null|nil|true|false|\*{1,64}|x{3,64}|\?|%s|%\(\w{1,64}\)s|:\w{1,64}|\$\d{1,3}"
    r"|\$\{[^{}]{0,128}\}|\{\{[^{}]{0,128}\}\}|\{[a-z_]{1,32}\}|<[^<>]{0,64}>|\[[\w ]{1,32}\]"
    r"|\d{1,3})?"
)


_pairs = later(rf"(?:{_NAMES}){_SUFFIX}(?:{_SEPARATOR})", re.IGNORECASE | re.ASCII)


_name = later(rf"(?:{_NAMES}){_SUFFIX}\Z", re.IGNORECASE | re.ASCII)


_opening = later(
    rf"{_ANSI}\s{{0,3}}(?:(?:\w{{1,32}}\()?[bru]{{0,2}}(?P<quote>\\{{0,7}}[\"'`]|%2[27]|&quot;))?",
    re.IGNORECASE,
)


_bare = later(
    r"[>|][-+]?\s{0,9}(?:\\n|\n)\s{0,40}[^\s\\]{1,4096}"
    r"|(?:(?!\\[nrt\"']|&amp;)[^\s\"'`&;,)\]}<>|\x1b]){0,4096}"
)
"""Return what a value without quotes consists of; after an authorization more than one word."""


_encoded = later(r"(?:(?!%26|%7D|%22|%2C)[^\s\"'&;,)\]}<>]){0,4096}", re.IGNORECASE)


_line = later(r"(?:(?!\\[nr\"'])[^\"'\r\n]){0,4096}")


_harmless = later(_HARMLESS, re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Say whether a name stands for a secret."""
    return _name().search(name) is not None


def mask_pairs(text: str) -> str:
    """Return the text without the values of names that stand for secrets."""
    return put_mark(text, _secrets(text), MARK)


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    done = 0
    for found in _pairs().finditer(text):
        if found.start() < done:
            continue
        start, end = _value(text, found)
        if _harmless().fullmatch(text, start, end) is None:
            yield start, end
            done = end


def _value(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Return where the value behind a name starts and ends, without its quotes."""
    at = found.end()
    name = found.group().lower()
    if name.endswith(">") and "=" not in name:
        end = text.find("<", at)
        return at, end if end >= 0 else len(text)
    opening = _opening().match(text, at)
    assert opening is not None  # noqa: S101  all of it is optional
    start, quote = opening.end(), opening["quote"]
    if quote:
        return start, _closing(text, start, quote)
    if text.startswith(MARK, start):
        return start, start + len(MARK)
    if text[start : start + 1] in {"[", "{", "("}:
        return start, closing_bracket(text, start) + 1
    pattern = _line() if name.startswith(("authorization", "cookie")) else _bare()
    value = (_encoded() if "%" in name else pattern).match(text, start)
    return start, value.end() if value else start


def _closing(text: str, start: int, quote: str) -> int:
    """Return where the quoted value ends; the text's end, if it is cut off."""
    at = start
    while (at := text.find(quote, at)) >= 0:
        is_escaped = text[at - 1] == "\\" and at > start
        if not is_escaped:
            return at
        at += len(quote)
    return len(text)
