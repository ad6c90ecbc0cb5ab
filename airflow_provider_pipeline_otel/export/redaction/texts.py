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
_PREFIXES: Final = (
    *("AKIA", "ASIA", "AROA", "AIDA", "AGPA", "ANPA", "AIPA", "ABIA", "ACCA"),
    *("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "GR1348941", "xox", "xapp-"),
    *("sk_", "pk_", "rk_", "whsec_", "npm_", "pypi-", "dckr_", "dapi", "dose", "dkea", "dcsp"),
    *("glpat-", "glrt-", "glptt-", "gldt-", "glcbt-", "glft-", "glsoat-", "gloas-", "glimt-"),
    *(
        "glagent-",
        "glffct-",
        "glsa_",
        "glc_",
        "dbtu_",
        "dbtc_",
        "dbts_",
        "AIza",
        "1//0",
        "GOCSPX-",
        "GOOG",
        "key-",
        "sk-",
        "hf_",
        "r8_",
        "gsk_",
    ),
    *(
        "NRAK",
        "NRJS",
        "NRII",
        "NRRA",
        "dop_",
        "doo_",
        "pul-",
        "shpat_",
        "shpca_",
        "shppa_",
        "shpss_",
        "sq0",
        "EAAA",
    ),
    *("lin_", "ntn_", "secret_", "PMAK-", "sntry", "phc_", "rnd_", "ATATT3", "ATCTT3"),
    *("FLWSECK", "AGE-SECRET", "ETMs", "eyJ", "gAAAAA", "IQoJb3JpZ2luX2Vj", "FwoGZXIvYXdz"),
)
_STARTS: Final = frozenset(prefix[:2] for prefix in _PREFIXES)
_PARTS: Final = ("SG.", "hvs.", "hvb.", "hvr.", "ya29.", "atlasv1.", "Q~", "xoxe.", "-us", "hint:")
_SEPARATORS: Final = (
    *("=", ":", ">", "%3", "value", "',", '",', " '", ' "', "  ", "\t", "\\", "')", '")'),
)
"""What stands between a name and its value, besides a comma without a blank (`_COMMA`)."""
_COMMA: Final = re.compile(r",\S")
_NAMES: Final = (
    *("pass", "pw", "secret", "token", "key", "auth", "cred", "sig", "sas", "jwt", "sess"),
    *("cookie", "conn", "info", "kennwort", "identified"),
)
_WORDS: Final = (
    *("bearer", "basic", "digest", "negotiate", "token", "-u", "-p", "hook", "/bot", "oracle:"),
    *("private", "password", "cookie", "secret"),
)
_SQL_WORDS: Final = (
    *("select", "insert", "update", "delete", "merge", "values", "where", "copy", "call", "exec"),
    *("create", "alter", "replace", "set "),
)

_QUOTING: Final = (
    *("'", "\u00bb", "[", ": ", ":\n", "=(", "$", "_value=", "ine", "parse", "payload", " `"),
    *("s (", "w (", "y (", "# "),
)
"""What stands between a driver's words and a value: contains (…), row (…), key (…)."""
_ERROR_WORDS: Final = (
    *("invalid", "duplicate", "violat", "could not", "not in list", "recogni", "existiert"),
    *("eingabe", "detail: ", "context: ", "input_value", "deserialize", "param", "row values"),
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
    if _may_hold_token(text) or _may_hold_secret(text, lower):
        text = pairs.mask_pairs(secrets.mask_tokens(text))
    text = _mask_numbers(text)
    if ("'" in text or "$" in text) and _has(lower, _SQL_WORDS):
        text = values.mask_sql(text)
    if _has(text, _QUOTING) and _has(lower, _ERROR_WORDS):
        text = values.mask_errors(text)
    return text


def _mask_plain(text: str) -> str:
    """Mask what is one word: an id, a name, a path, a time, a token."""
    if _may_hold_token(text) or (":" in text and _may_hold_secret(text, text.lower())):
        text = pairs.mask_pairs(secrets.mask_tokens(text))
    return _mask_numbers(text)


def _may_hold_secret(text: str, lower: str) -> bool:
    if (_has(text, _SEPARATORS) or _COMMA.search(text) is not None) and _has(lower, _NAMES):
        return True
    return _has(lower, _WORDS)


def _mask_numbers(text: str) -> str:
    has_iban = not text.islower() and _IBAN.search(text) is not None
    if has_iban or _MANY_DIGITS.search(text) is not None:
        return personal.mask_numbers(text)
    return text


def _may_hold_token(text: str) -> bool:
    for run in _RUN.findall(text):
        word = run.lstrip("_-/+")
        if word[:2] in _STARTS and word.startswith(_PREFIXES):
            return True
    return _has(text, _PARTS)


def _has(text: str, parts: tuple[str, ...]) -> bool:
    """Say whether one of the parts is in the text: several times as fast as a pattern of them."""
    return any(map(text.__contains__, parts))
