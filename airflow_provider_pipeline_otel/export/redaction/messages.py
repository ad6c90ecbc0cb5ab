"""Messages of exceptions: their words stay, what they tell of records goes.

A message may be nothing but a value (`raise ValueError(name)`), or end in one without any quotes.
"""

from __future__ import annotations

import re
from functools import cache

from airflow_provider_pipeline_otel.export.redaction.patterns import later
from airflow_provider_pipeline_otel.export.redaction.texts import mask_text
from airflow_provider_pipeline_otel.export.redaction.values import MARK, mask_quoted

_class_and_message = later(r"(?P<head>[A-Za-z_][\w.]{0,200}: )?(?P<message>.*)", re.DOTALL)


@cache
def _only_a_value() -> re.Pattern[str]:
    """Match a message without words of its own: a name, a number."""
    name = r"[^\W\d_]{1,64}(?:[-'\u2019][^\W\d_]{1,64}){0,8}"
    date = r"(?!\d{4}-?\d\d-?\d\d\b)"
    proper = r"(?=[^\W\d_a-z])" + name
    return re.compile(
        rf"\s{{0,9}}(?:(?!\w*(?:Error|Exception)\b){name}|{date}[\d.,+-]{{5,64}}|{proper}(?:,?\s{proper}){{1,8}})\s{{0,9}}"
    )


_code = later(
    r"(?<![\w./:@=#+-])(?=[\w-]{0,64}\d)(?=[\w-]{0,64}[A-Za-z])"
    r"[A-Za-z0-9]{1,64}(?:-[A-Za-z0-9]{1,64}){1,16}(?![\w/:@=+-])"
)
"""Match words with letters, digits and dashes: numbers of customers, orders, articles."""


_technical = later(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-\d\d"
    r"|(?:[a-z][a-z0-9]{0,62}-){1,8}[0-9a-f]{8,10}-[a-z0-9]{5}"  # a pod
    r"|\d{4}-(?:\d\d|W\d\d)-\d{1,2}\w{0,16}"
    r"|(?:ORA|SQLCODE|CVE|RFC|ISO|UTF|UTC|GMT|PL?S|TNS|DPI|MY|HY)-?\d{1,6}(?:-\d{1,6})?"
    r"|(?:utf|iso|latin|sha|md|cp|x|ipv|http|tls|py)-?\d{1,5}(?:-\d{1,3})?|[a-z]{1,12}-\d{1,3}",
    re.IGNORECASE,
)


def mask_message(text: str) -> str:
    """Return an exception's message, with its class before it or without, without any value."""
    text = mask_text(text)  # first: a class and a name of a secret look alike
    found = _class_and_message().fullmatch(text)
    head, message = (found["head"] or "", found["message"]) if found else ("", text)
    if message and _only_a_value().fullmatch(message):
        return head + MARK
    return head + _mask_words(message)


def mask_stack_trace(text: str) -> str:
    """Return a stack trace whose frames stay as they are; between them may be values."""
    parts = re.split(_FRAME, text, flags=re.MULTILINE)
    return "".join(
        mask_text(part) if at % 2 else _mask_between_frames(part) for at, part in enumerate(parts)
    )


_FRAME = r"^([ \t|]{1,12}File \"[^\"\n]{1,4096}\", line \d{1,9}, in [^\n]{1,512}\n?)"


def _mask_between_frames(text: str) -> str:
    """Mask lines of code, and from the first line that isn't indented on an exception's message."""
    code = re.match(r"(?:[ \t][^\n]{0,4096}(?:\n|$)){0,64}", text)
    end = code.end() if code else 0
    said = text[end:]
    return _mask_words(mask_text(text[:end])) + (mask_message(said) if said else "")


def _mask_words(text: str) -> str:
    return _code().sub(_mask_code, mask_quoted(text))


def _mask_code(found: re.Match[str]) -> str:
    return found.group() if _technical().fullmatch(found.group()) else MARK
