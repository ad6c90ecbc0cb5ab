"""One text → what may leave of it; cheap looks decide which rules are asked."""

from __future__ import annotations

import re
from typing import Final

from airflow_provider_pipeline_otel.export.redaction import pairs, personal, secrets, values

MARKS: Final = (
    pairs.MARK,
    values.MARK,
    personal.EMAIL,
    personal.CARD,
    personal.IBAN,
    personal.IP,
    personal.PHONE,
)

_RICH: Final = re.compile(r"[@='\"`({\[<%?&,;|~$\s\\]")
"""Signs that ids, names, paths and times do without."""

_RUN: Final = re.compile(r"[A-Za-z0-9_~/+-]{16,}")
_SHORTEST: Final = 14
"""Signs of the shortest token, card or account number."""

_MANY_DIGITS: Final = re.compile(r"[\d -]{14,}")
_IBAN: Final = re.compile(r"[A-Z]{2}\d\d[ -]?[A-Z0-9]{4}")
_DATA: Final = re.compile(r"['\"(`$\u00bb]|[Ll]ine|parse|payload")
"""Signs and words that literals and quoted values go with."""
_PREFIXES: Final = (
    *("AKIA", "ASIA", "AROA", "AIDA", "AGPA", "ANPA", "AIPA", "ABIA", "ACCA"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "gl", "GR1348941", "xox", "xapp-"),
    *("sk_", "pk_", "rk_", "whsec_", "npm_", "pypi-", "dckr_", "dapi", "dose", "dkea", "dcsp"),
    *("dbt", "AIza", "1//0", "GOCSPX-", "GOOG", "key-", "sk-", "hf_", "r8_", "gsk_"),
    *("NR", "dop_", "doo_", "pul-", "shpat_", "shpca_", "shppa_", "shpss_", "sq0", "EAAA"),
    *("lin_", "ntn_", "secret_", "PMAK-", "sntry", "phc_", "rnd_", "ATATT3", "ATCTT3"),
    *("FLWSECK", "AGE-SECRET", "ETMs", "eyJ", "gAAAAA", "IQoJb3JpZ2luX2Vj", "FwoGZXIvYXdz"),
)
_STARTS: Final = frozenset(prefix[:2] for prefix in _PREFIXES)
_PARTS: Final = ("SG.", "hvs.", "hvb.", "hvr.", "ya29.", "atlasv1.", "Q~", "xoxe.", "-us", "hint:")
_WORDS: Final = (
    *("pass", "pwd", "pw", "secret", "token", "key", "auth", "cred", "sig", "sas", "jwt", "sess"),
    *("cookie", "conn", "info", "kennwort", "bearer", "basic", "digest", "negotiate", "-u", "-p"),
    *("hook", "bot", "oracle:", "private", "identified"),
)
_SQL_WORDS: Final = (
    *("select", "insert", "update", "delete", "merge", "values", "where", "copy", "call", "exec"),
    *("create", "alter", "replace", "set "),
)

_ERROR_WORDS: Final = (
    *("invalid", "duplicate", "violat", "could not", "not in list", "recogni", "existiert"),
    *(
        "eingabesyntax",
        "detail: ",
        "context: ",
        "input_value",
        "deserialize",
        "param",
        "row values",
    ),
    *("dup key", "contains", "key value", "keyvalue", "bad row", "column values", "not unique"),
    *("unexpected_", "key (", "\u00bb(", "command #", "original line", "csv parse", "json data"),
    *("parsing json", "copy ", "error on line", "parsed text", "payload", "decode", "(string)"),
    *("delimiter", "cached since", "generated in", "in conn", "$"),
)


def mask_text(text: str) -> str:
    """Return the text without what is known to be secret or personal, wherever it stands."""
    if _RICH.search(text) is None:
        return text if len(text) < _SHORTEST else _mask_plain(text)
    if "@" in text or "%40" in text or "u0040" in text:
        text = personal.mask_emails(secrets.mask_urls(text))
    lower = text.lower()
    if any(word in lower for word in _WORDS) or _may_hold_token(text):
        text = pairs.mask_pairs(secrets.mask_tokens(text))
    text = _mask_numbers(text)
    if _DATA.search(text) is not None:
        if any(word in lower for word in _SQL_WORDS):
            text = values.mask_sql(text)
        if any(word in lower for word in _ERROR_WORDS):
            text = values.mask_errors(text)
    return text


def _mask_plain(text: str) -> str:
    """Mask what is one word: an id, a name, a path, a time, a token."""
    if _may_hold_token(text) or _may_be_pair(text):
        text = pairs.mask_pairs(secrets.mask_tokens(text))
    return _mask_numbers(text)


def _mask_numbers(text: str) -> str:
    has_iban = not text.islower() and _IBAN.search(text) is not None
    if has_iban or _MANY_DIGITS.search(text) is not None:
        return personal.mask_numbers(text)
    return text


def _may_be_pair(text: str) -> bool:
    if ":" not in text:
        return False
    lower = text.lower()
    return any(word in lower for word in _WORDS)


def _may_hold_token(text: str) -> bool:
    for run in _RUN.findall(text):
        word = run.lstrip("_-/+")
        if word[:2] in _STARTS and word.startswith(_PREFIXES):
            return True
    return any(part in text for part in _PARTS)
