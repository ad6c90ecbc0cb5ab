"""Generated texts with known secrets, to test that redaction removes every one of them.

A family is a hypothesis strategy of canaries: each canary is a text as it occurs in the logs,
errors and settings of data pipelines, together with the exact substrings which must be gone
from the redacted text. All values are random; none was ever valid anywhere.

- ``FAMILIES``: secrets and personal data in log lines, URLs, settings, dumps, SQL and driver
  errors, most of them inside a randomly chosen frame (log prefix, JSON, repr, traceback).
- ``EXCEPTIONS``: bare exception messages of data libraries, where each quoted or repr'd data
  value is a secret.
- ``IP_AND_PHONE``: IP addresses and phone numbers, whose redaction is optional.

Texts are templates with two kinds of marker. ``<<host>>`` stands for a harmless random word,
and ``<<quoting:kind>>`` for a secret of that kind in that quoting (``<<sql:email>>``). A
trailing number tells values of one kind apart: ``<<raw:email:1>>`` is the same value wherever
it occurs in the template, and another one than ``<<raw:email>>``.
"""

from __future__ import annotations

import base64
import json
import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

__all__ = ["EXCEPTIONS", "FAMILIES", "IP_AND_PHONE", "Canary"]


@dataclass(frozen=True)
class Canary:
    """A text as it would really occur, and what must not be left of it after redaction.

    ``secrets`` are exact substrings of ``text``. The first is a whole value; others may be
    parts of one (the tail of a token, a word of a quoted value), which a match that stops too
    early or starts too late would leave behind.
    """

    text: str
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class _Value:
    """A secret value and the substrings of it that survive being quoted."""

    raw: str
    needles: tuple[str, ...]


# --------------------------------------------------------------------------------------------
# Random values
# --------------------------------------------------------------------------------------------

_ALNUM: Final = string.ascii_letters + string.digits
_HEX: Final = "0123456789abcdef"
_BASE32: Final = string.ascii_uppercase + "234567"
_URLSAFE: Final = _ALNUM + "-_"
_MIN_NEEDLE: Final = 6


def _chance(rng: Random, share: float) -> bool:
    return rng.random() < share


def _chars(rng: Random, alphabet: str, length: int) -> str:
    return "".join(rng.choices(alphabet, k=length))


def _digits(rng: Random, length: int) -> str:
    return str(rng.randint(1, 9)) + _chars(rng, string.digits, length - 1)


def _base64(rng: Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


def _base64url(rng: Random, size: int) -> str:
    return base64.urlsafe_b64encode(rng.randbytes(size)).decode().rstrip("=")


def _whole(raw: str, tail: int = 12) -> _Value:
    """Return a value whose needles are the whole and, if that is long, its tail."""
    return _Value(raw, (raw, raw[-tail:]) if len(raw) >= 2 * tail else (raw,))


def _chunked(raw: str) -> _Value:
    """Return a value whose needles are free of quotes and backslashes."""
    chunks = [chunk.strip() for chunk in re.split(r"['\"`\\]", raw)]
    return _Value(raw, tuple(chunk for chunk in chunks if len(chunk) >= _MIN_NEEDLE))


# Keys and passwords.


def _secret_of(rng: Random, specials: str) -> _Value:
    if not specials or _chance(rng, 0.3):
        return _whole(_chars(rng, _ALNUM, rng.randint(10, 20)) + str(rng.randint(10, 99)))
    head = _chars(rng, _ALNUM, rng.randint(6, 8))
    middle = _chars(rng, _ALNUM, rng.randint(0, 3))
    tail = _chars(rng, _ALNUM, 7) + rng.choice(string.digits)
    first, second = rng.choice(specials), rng.choice(specials)
    raw = head + first + (middle + second if middle else "") + tail
    if any(char in "'\"\\" for char in raw):
        return _Value(raw, (tail, head))
    return _Value(raw, (raw, tail, head))


def _opaque(rng: Random) -> _Value:
    return _whole(
        rng.choice(
            (
                _chars(rng, _HEX, 32),
                _chars(rng, _ALNUM, rng.choice((24, 32, 40))),
                _base64url(rng, 32),
                _chars(rng, _HEX, 64),
            )
        )
    )


def _userinfo_base64(rng: Random) -> _Value:
    pair = f"{_word(rng, 'user')}:{_secret_of(rng, '!*').raw}"
    return _whole(base64.b64encode(pair.encode()).decode())


# Tokens with a shape of their own.


def _aws_key_id(rng: Random) -> _Value:
    raw = rng.choice(("AKIA", "ASIA")) + _chars(rng, _BASE32, 16)
    return _Value(raw, (raw, raw[-10:]))


def _aws_secret(rng: Random) -> _Value:
    raw = _chars(rng, _ALNUM, 12) + rng.choice("/+") + _chars(rng, _ALNUM + "/+", 15)
    return _whole(raw + _chars(rng, _ALNUM, 12))


def _aws_session(rng: Random) -> _Value:
    return _whole("IQoJb3JpZ2luX2Vj" + _base64(rng, 210))


def _azure_client_secret(rng: Random) -> _Value:
    return _whole(
        _chars(rng, _ALNUM, 3)
        + "8Q~"
        + _chars(rng, _ALNUM + "_.-~", 22)
        + "".join(rng.choices(_ALNUM, k=12))
    )


def _github(rng: Random) -> _Value:
    if _chance(rng, 0.3):
        return _whole(f"github_pat_{_chars(rng, _ALNUM, 22)}_{_chars(rng, _ALNUM, 59)}")
    return _whole("gh" + rng.choice("pousr") + "_" + _chars(rng, _ALNUM, 36))


def _gitlab(rng: Random) -> _Value:
    prefix = rng.choice(("glpat-", "gldt-", "glrt-", "glcbt-64_"))
    return _whole(prefix + _chars(rng, _URLSAFE, 8) + _chars(rng, _ALNUM, 12))


def _slack(rng: Random) -> _Value:
    team, user = _digits(rng, 12), _digits(rng, 13)
    bot = f"xoxb-{team}-{user}-{_chars(rng, _ALNUM, 24)}"
    person = f"xoxp-{team}-{user}-{_digits(rng, 13)}-{_chars(rng, _HEX, 32)}"
    app = f"xapp-1-A0{_chars(rng, _BASE32, 9)}-{user}-{_chars(rng, _HEX, 64)}"
    return _whole(rng.choice((bot, person, app)))


def _slack_path(rng: Random) -> _Value:
    secret = _chars(rng, _ALNUM, 24)
    path = f"T0{_chars(rng, _BASE32, 8)}/B0{_chars(rng, _BASE32, 9)}/{secret}"
    return _Value(path, (path, secret))


def _stripe(rng: Random) -> _Value:
    prefix = rng.choice(("sk_live_", "sk_test_", "rk_live_", "whsec_"))
    return _whole(prefix + _chars(rng, _ALNUM, rng.choice((24, 32, 99))))


def _pypi(rng: Random) -> _Value:
    return _whole("pypi-AgEIcHlwaS5vcmc" + _chars(rng, _URLSAFE, 140) + _chars(rng, _ALNUM, 12))


def _databricks(rng: Random) -> _Value:
    return _whole("dapi" + _chars(rng, _HEX, 32) + rng.choice(("", "-2", "-3")))


def _snowflake(rng: Random) -> _Value:
    body = "ETMsDgAAA" + _base64(rng, 120)
    raw = f"ver:{rng.randint(1, 3)}-hint:{_digits(rng, 11)}-{body}"
    return _Value(raw, (raw, body, body[-12:]))


def _dbt_cloud(rng: Random) -> _Value:
    return _whole(
        rng.choice(("dbtc_", "dbtu_")) + _chars(rng, _URLSAFE, 30) + _chars(rng, _ALNUM, 12)
    )


def _sendgrid(rng: Random) -> _Value:
    return _whole(f"SG.{_base64url(rng, 16)}.{_base64url(rng, 32)}")


def _llm(rng: Random) -> _Value:
    return _whole(
        rng.choice(
            (
                "sk-" + _chars(rng, _ALNUM, 48),
                "sk-proj-" + _chars(rng, _URLSAFE, 90) + _chars(rng, _ALNUM, 12),
                "sk-ant-api03-" + _chars(rng, _URLSAFE, 81) + _chars(rng, _ALNUM, 12) + "AA",
            )
        )
    )


def _saas(rng: Random) -> _Value:
    return _whole(
        rng.choice(
            (
                "hf_" + _chars(rng, string.ascii_letters, 34),
                "glsa_" + _chars(rng, _ALNUM, 32) + "_" + _chars(rng, _HEX, 8),
                "dckr_pat_" + _chars(rng, _ALNUM, 27),
                "dop_v1_" + _chars(rng, _HEX, 64),
                "shpat_" + _chars(rng, _HEX, 32),
                "NRAK-" + _chars(rng, string.ascii_uppercase + string.digits, 27),
                "lin_api_" + _chars(rng, _ALNUM, 40),
            )
        )
    )


def _jwt_parts(rng: Random) -> tuple[str, str, str]:
    def segment(claims: Mapping[str, object]) -> str:
        data = json.dumps(claims, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    algorithm, size = rng.choice((("HS256", 32), ("RS256", 256), ("ES256", 64)))
    header = {"alg": algorithm, "typ": "JWT"}
    if _chance(rng, 0.5):
        header["kid"] = _chars(rng, _HEX, 16)
    issued = rng.randint(1_750_000_000, 1_800_000_000)
    claims = {"sub": _digits(rng, 10), "iat": issued, "exp": issued + 3600, "scope": "read"}
    return segment(header), segment(claims), _base64url(rng, size)


def _jwt(rng: Random) -> _Value:
    header, claims, signature = _jwt_parts(rng)
    raw = f"{header}.{claims}.{signature}"
    return _Value(raw, (raw, claims, signature, signature[-12:]))


def _pem_lines(rng: Random) -> tuple[str, list[str], str]:
    kind = rng.choice(("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "))
    body = _base64(rng, rng.choice((118, 350, 640)))
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return f"-----BEGIN {kind}PRIVATE KEY-----", lines, f"-----END {kind}PRIVATE KEY-----"


def _pem(rng: Random) -> _Value:
    begin, lines, end = _pem_lines(rng)
    headers = []
    if "RSA" in begin and _chance(rng, 0.4):
        salt = _chars(rng, _HEX.upper(), 32)
        headers = ["Proc-Type: 4,ENCRYPTED", f"DEK-Info: AES-256-CBC,{salt}", ""]
    return _Value("\n".join([begin, *headers, *lines, end]), _long(lines))


def _pem_cut(rng: Random) -> _Value:
    begin, lines, _ = _pem_lines(rng)
    lines[-1] = lines[-1][:24]
    return _Value("\n".join([begin, *lines]), _long(lines))


def _long(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(part for part in parts if len(part) >= _MIN_NEEDLE)


# Signed URLs (the whole of a URL is not a secret: host and path may stay).


def _aws_presigned(rng: Random) -> _Value:
    key, join = _aws_key_id(rng), rng.choice(("&", "&", "&", "&amp;"))
    path = f"https://{_word(rng, 'bucket')}.s3.{_word(rng, 'region')}.amazonaws.com/exports/a.csv"
    if _chance(rng, 0.25):
        signature = quote(_base64(rng, 20), safe="")
        pairs = [f"AWSAccessKeyId={key.raw}", f"Signature={signature}", "Expires=1795834447"]
        return _Value(f"{path}?{join.join(pairs)}", (signature, *key.needles))
    signature = _chars(rng, _HEX, 64)
    needles = [signature, *key.needles]
    scope = f"%2F20261128%2F{_word(rng, 'region')}%2Fs3%2Faws4_request"
    pairs = [
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        f"X-Amz-Credential={key.raw}{scope}",
        "X-Amz-Date=20261128T031407Z",
        "X-Amz-Expires=3600",
        "X-Amz-SignedHeaders=host",
    ]
    if _chance(rng, 0.5):
        token = quote(_aws_session(rng).raw, safe="")
        pairs.append(f"X-Amz-Security-Token={token}")
        needles += [token, token[-15:]]
    pairs.append(f"X-Amz-Signature={signature}")
    return _Value(f"{path}?{join.join(pairs)}", tuple(needles))


def _google_signed(rng: Random) -> _Value:
    signature = _chars(rng, _HEX, 512)
    pairs = [
        "X-Goog-Algorithm=GOOG4-RSA-SHA256",
        (
            "X-Goog-Credential=etl%40shop-prod.iam.gserviceaccount.com%2F20261128%2Fauto%2Fstorage"
            "%2Fgoog4_request"
        ),
        "X-Goog-Date=20261128T031407Z",
        "X-Goog-Expires=900",
        "X-Goog-SignedHeaders=host",
        f"X-Goog-Signature={signature}",
    ]
    url = f"https://storage.googleapis.com/{_word(rng, 'bucket')}/exports/a.csv"
    return _Value(f"{url}?{'&'.join(pairs)}", (signature, signature[-16:]))


def _azure_sas(rng: Random) -> _Value:
    plain = _base64(rng, 32)
    signature = quote(plain, safe="")
    pairs = [
        f"sv=20{rng.randint(19, 26)}-11-04",
        rng.choice(("ss=bf&srt=co", "sr=b", "sr=c")),
        rng.choice(("sp=rl", "sp=racwdl")),
        "st=2026-11-28T00:00:00Z",
        rng.choice(("se=2026-11-29T00:00:00Z", "se=2026-11-29T00%3A00%3A00Z")),
        "spr=https",
    ]
    pairs.insert(rng.choice((0, len(pairs))), f"sig={signature}")
    return _Value("&".join(pairs), (signature, signature[:20]))


# Personal data.

_FIRST: Final = (
    "Anneliese", "Bartholomew", "Casimir", "Dorothea", "Ekaterina", "Friedrich", "Guillermo",
    "Henrietta", "Ignatius", "Jacqueline", "Konstantin", "Leopoldine", "Margarethe",
    "Nathaniel", "Octavian", "Philippa", "Rosalinde", "Sebastian", "Theodora", "Wilhelmina",
)  # fmt: skip
_LAST: Final = (
    "Abercrombie", "Brandstetter", "Castellanos", "Dombrowski", "Eisenhower", "Featherstone",
    "Grzegorzewska", "Hallgrimsson", "Iannopoulos", "Jankovic", "Kowalczyk", "Lichtenberger",
    "Montgomery", "Niederhauser", "Oppenheimer", "Papadopoulos", "Quackenbush", "Rasmussen",
    "Szymanski", "Tikhomirov", "Vandersloot", "Winterbottom", "Yamashita", "Zimmermann",
)  # fmt: skip
_ACCENTED: Final = (
    "Łukasz Wójcikowski", "Jürgen Müller-Lüdenscheidt", "Zoë Bélanger-Côté", "Søren Ødegård",
    "Ángel Núñez Ibáñez", "Дмитрий Соколовский", "Šárka Dvořáčková", "Γιώργος Παπαδάκης",
)  # fmt: skip
_STREETS: Final = (
    "Harrowgate Lane", "Lindenstraße", "Rue de Vaugirard", "Bahnhofplatz", "Calle de Alcalá",
)  # fmt: skip


def _name(rng: Random) -> _Value:
    if _chance(rng, 0.15):
        return _chunked(rng.choice(_ACCENTED))
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    if _chance(rng, 0.15):
        return _chunked(f"{first} {rng.choice(('O', 'D'))}'{last}")
    raw = rng.choice((f"{first} {last}", f"{last}, {first}", f"{first} {rng.choice(_LAST)}-{last}"))
    return _Value(raw, (raw, first, last))


def _email(rng: Random) -> _Value:
    first, last = rng.choice(_FIRST).lower(), rng.choice(_LAST).lower()
    number = rng.randint(10, 1999)
    local = rng.choice(
        (
            f"{first}.{last}{number}",
            f"{first[0]}{last}{number}",
            f"{first}_{last}-{number}",
            f"{first}.{last}+orders{number}",
            f"{last.upper()}.{number}",
            f"{first}-{last}.{number}",
        )
    )
    label = _chars(rng, string.ascii_lowercase, 4) + rng.choice(("-mail", "post", "-corp", "2"))
    domain = rng.choice(
        (
            "example.com",
            "example.org",
            f"{label}.example",
            f"{label}.de",
            f"{label}.co.uk",
            f"mx.{label}.com",
            f"{label}.photography",
        )
    )
    raw = f"{local}@{domain}"
    return _Value(raw, (raw, local, last if last in raw else last.upper()))


def _luhn_digit(digits: str) -> str:
    total = 0
    for place, char in enumerate(reversed(digits)):
        number = int(char) * (2 if place % 2 == 0 else 1)
        total += sum(divmod(number, 10))
    return str(-total % 10)


def _card_digits(rng: Random) -> str:
    prefix, length = rng.choice(
        (
            ("4", 16),
            ("4", 16),
            ("4", 19),
            (str(rng.randint(51, 55)), 16),
            (str(rng.randint(2221, 2720)), 16),
            (rng.choice(("34", "37")), 15),
            ("6011", 16),
            (str(rng.randint(3528, 3589)), 16),
            (rng.choice(("36", "38")), 14),
        )
    )
    body = prefix + _chars(rng, string.digits, length - len(prefix) - 1)
    return body + _luhn_digit(body)


def _card(rng: Random) -> _Value:
    digits = _card_digits(rng)
    return _Value(digits, (digits, digits[-9:]))


def _card_grouped(rng: Random) -> _Value:
    digits, join = _card_digits(rng), rng.choice((" ", "-"))
    sizes = (4, 6, 5) if digits[:2] in ("34", "37") else (4, 4, 4, 4, 4)
    groups, at = [], 0
    for size in sizes:
        groups.append(digits[at : at + size])
        at += size
    raw = join.join(group for group in groups if group)
    return _Value(raw, (raw, raw[-10:]))


_IBAN_SHAPES: Final = {
    "DE": "d18", "GB": "a4 d14", "FR": "d10 c11 d2", "NL": "a4 d10", "ES": "d20",
    "IT": "a1 d10 c12", "AT": "d16", "CH": "d5 c12", "PL": "d24", "BE": "d12", "NO": "d11",
    "SE": "d20", "MT": "a4 d5 c18", "PT": "d21", "IE": "a4 d14", "DK": "d14",
}  # fmt: skip


def _iban_plain(rng: Random) -> str:
    alphabets = {
        "d": string.digits,
        "a": string.ascii_uppercase,
        "c": string.digits + string.ascii_uppercase,
    }
    country = rng.choice(sorted(_IBAN_SHAPES))
    account = "".join(
        _chars(rng, alphabets[part[0]], int(part[1:])) for part in _IBAN_SHAPES[country].split()
    )
    number = int("".join(str(int(char, 36)) for char in f"{account}{country}00"))
    return f"{country}{98 - number % 97:02d}{account}"


def _iban(rng: Random) -> _Value:
    raw = _iban_plain(rng)
    return _Value(raw, (raw, raw[-9:]))


def _iban_grouped(rng: Random) -> _Value:
    plain, join = _iban_plain(rng), rng.choice((" ", " ", " ", "-"))
    raw = join.join(plain[at : at + 4] for at in range(0, len(plain), 4))
    return _Value(raw, (raw, raw[-9:]))


def _number(rng: Random) -> _Value:
    raw = _digits(rng, rng.randint(8, 10))
    return _Value(raw, (raw,))


def _broken_date(rng: Random) -> _Value:
    year, month, day = rng.randint(1931, 2009), rng.randint(13, 19), rng.randint(32, 59)
    raw = rng.choice((f"{year}-{month}-{day}", f"{day}.{month}.{year}", f"{month}/{day}/{year}"))
    return _Value(raw, (raw,))


def _code(rng: Random) -> _Value:
    raw = (
        rng.choice(("ORD", "CUST", "Kd", "SKU"))
        + "-"
        + _chars(rng, _ALNUM, 5)
        + str(rng.randint(1000, 9999))
    )
    return _Value(raw, (raw,))


def _note(rng: Random) -> _Value:
    """Return free text that a person typed, with the quotes that people type."""
    name, code = _name(rng).raw, _code(rng).raw
    return _chunked(
        rng.choice(
            (
                f"please call {name} back, it's urgent ({code})",
                f"don't deliver before noon; ask for {name}",
                f'says "refund me" under {code}',
                f"C:\\Users\\{name}\\{code}.xlsx",
                f"diabetes type 2; see {code}",
            )
        )
    )


def _plain(rng: Random) -> _Value:
    """Return a data value without quotes and backslashes."""
    kind = rng.choice((_email, _code, _broken_date, _address, _money, _card, _iban, _full_name))
    return kind(rng)


def _any(rng: Random) -> _Value:
    return rng.choice((_plain, _plain, _plain, _name, _note))(rng)


def _full_name(rng: Random) -> _Value:
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    return _Value(f"{first} {last}", (f"{first} {last}", first, last))


def _address(rng: Random) -> _Value:
    raw = f"{rng.randint(100, 999)} {rng.choice(_STREETS)}, {rng.randint(10000, 99999)}"
    return _Value(raw, (raw, raw[4:]))


def _money(rng: Random) -> _Value:
    raw = f"{rng.randint(10, 99)}.{rng.randint(100, 999)},{rng.randint(10, 99)} EUR"
    return _Value(raw, (raw,))


# Addresses and phone numbers.


def _ipv4(rng: Random) -> _Value:
    first = rng.choice((10, 172, 192, 52, 85, 203))
    parts = [first, rng.randint(16, 254), rng.randint(10, 254), rng.randint(10, 254)]
    raw = ".".join(map(str, parts))
    return _Value(raw, (raw,))


def _ipv6(rng: Random) -> _Value:
    words = [_chars(rng, "123456789abcdef", 4) for _ in range(7)]
    raw = rng.choice(
        (
            "2001:" + ":".join(words),
            f"2a02:{words[0]}::{words[1]}:{words[2]}",
            f"fe80::{words[0]}:{words[1][:2]}ff:fe{words[2][:2]}:{words[3]}",
            f"fd{words[0][:2]}:{words[1]}:{words[2]}::1",
        )
    )
    return _whole(raw)


def _phone_plus(rng: Random) -> _Value:
    country, area = rng.choice((("49", "151"), ("44", "7700"), ("1", "415"), ("33", "6")))
    rest = _digits(rng, 11 - len(country) - len(area))
    raw = rng.choice(
        (
            f"+{country}{area}{rest}",
            f"+{country} {area} {rest[:3]} {rest[3:]}",
            f"+{country}-{area}-{rest[:3]}-{rest[3:]}",
            f"+{country} ({area}) {rest}",
        )
    )
    return _Value(raw, (raw,))


def _phone_local(rng: Random) -> _Value:
    rest = _digits(rng, 7)
    raw = rng.choice(
        (
            f"({rng.randint(201, 989)}) {rest[:3]}-{rest[3:]}",
            f"{rng.randint(201, 989)}-{rest[:3]}-{rest[3:]}",
            f"0{rng.randint(30, 99)}/{rest}",
            f"0{rng.randint(150, 179)} {rest}",
        )
    )
    return _Value(raw, (raw,))


_KINDS: Final[dict[str, Callable[[Random], _Value]]] = {
    "pw": lambda rng: _secret_of(rng, "!*+~.-_$%^@:/="),
    "pwplain": lambda rng: _secret_of(rng, ""),
    "pwquoted": lambda rng: _secret_of(rng, "!*+~.-_$%^@:/=#?&;,|<>()[] "),
    "pwquotes": lambda rng: _secret_of(rng, "'\"\\"),
    "pwurl": lambda rng: _secret_of(rng, "!*~.-_$"),
    "pwat": lambda rng: _secret_of(rng, "@:"),
    "opaque": _opaque,
    "basic": _userinfo_base64,
    "hex32": lambda rng: _whole(_chars(rng, _HEX, 32)),
    "hex40": lambda rng: _whole(_chars(rng, _HEX, 40)),
    "hex64": lambda rng: _whole(_chars(rng, _HEX, 64)),
    "nonce": lambda rng: _whole(_chars(rng, _ALNUM, 22)),
    "aws_key_id": _aws_key_id,
    "aws_secret": _aws_secret,
    "aws_session": _aws_session,
    "aws_presigned": _aws_presigned,
    "azure_sas": _azure_sas,
    "azure_account_key": lambda rng: _whole(_base64(rng, 64)),
    "azure_bus_key": lambda rng: _whole(_base64(rng, 32)),
    "azure_client_secret": _azure_client_secret,
    "gcp_api_key": lambda rng: _whole("AIza" + _chars(rng, _URLSAFE, 23) + _chars(rng, _ALNUM, 12)),
    "gcp_oauth": lambda rng: _whole("ya29." + _chars(rng, _URLSAFE, 120) + _chars(rng, _ALNUM, 12)),
    "gcp_refresh": lambda rng: _whole("1//0" + _chars(rng, _URLSAFE, 80) + _chars(rng, _ALNUM, 12)),
    "google_signed": _google_signed,
    "github": _github,
    "gitlab": _gitlab,
    "slack": _slack,
    "slack_path": _slack_path,
    "stripe": _stripe,
    "npm": lambda rng: _whole("npm_" + _chars(rng, _ALNUM, 36)),
    "pypi": _pypi,
    "databricks": _databricks,
    "snowflake": _snowflake,
    "dbt_cloud": _dbt_cloud,
    "sendgrid": _sendgrid,
    "llm": _llm,
    "saas": _saas,
    "vault": lambda rng: _whole("hvs.CAESI" + _chars(rng, _URLSAFE, 74) + _chars(rng, _ALNUM, 12)),
    "fernet": lambda rng: _whole(base64.urlsafe_b64encode(rng.randbytes(32)).decode()),
    "jwt": _jwt,
    "pem": _pem,
    "pem_cut": _pem_cut,
    "name": _name,
    "fullname": _full_name,
    "email": _email,
    "card": _card,
    "cardgrouped": _card_grouped,
    "iban": _iban,
    "ibangrouped": _iban_grouped,
    "number": _number,
    "baddate": _broken_date,
    "code": _code,
    "note": _note,
    "address": _address,
    "money": _money,
    "plain": _plain,
    "any": _any,
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "phone": _phone_plus,
    "phonelocal": _phone_local,
}

# --------------------------------------------------------------------------------------------
# Harmless words
# --------------------------------------------------------------------------------------------

_SECRET_KEYS: Final = (
    "password", "passwd", "pwd", "db_password", "Password", "PASSWORD", "userPassword",
    "api_key", "apikey", "apiKey", "api-key", "X-API-Key", "client_secret", "clientSecret",
    "client-secret", "secret_key", "SECRET_KEY", "secret", "access_token", "accessToken",
    "refresh_token", "auth_token", "authToken", "token", "private_token", "passphrase",
    "private_key_passphrase", "encryption_key", "webhook_secret", "ssl.keystore.password",
    "sasl.password", "http_proxy_password", "snowflake_password", "smtp-password",
)  # fmt: skip

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "user": ("etl_user", "airflow", "svc_loader", "reporting", "dbt_prod", "spark", "root"),
    "db": ("shop", "analytics", "warehouse", "dwh_prod", "airflow"),
    "table": ("customers", "orders", "stg_payments", "dim_customer", "accounts", "contacts"),
    "col": ("email", "customer_name", "amount", "order_id", "birth_date", "external_ref"),
    "bucket": ("acme-datalake", "shop-exports", "raw-zone-prod", "dwh-landing"),
    "region": ("eu-central-1", "us-east-1", "ap-southeast-2"),
    "model": ("stg_orders", "fct_payments", "dim_customer"),
    "task": ("extract_orders", "load_customers", "sync_crm"),
    "key": _SECRET_KEYS,
    "pykey": ("password", "passwd", "api_key", "client_secret", "access_token", "secret_key"),
    "envkey": (
        "POSTGRES_PASSWORD", "DB_PASSWORD", "STRIPE_API_KEY", "SECRET_KEY", "DBT_ENV_SECRET_PW",
        "SNOWFLAKE_PASSWORD", "CLIENT_SECRET", "AIRFLOW__SMTP__SMTP_PASSWORD", "GH_TOKEN",
        "AIRFLOW_VAR_PAYMENT_API_KEY", "AIRFLOW__WEBSERVER__SECRET_KEY", "SLACK_TOKEN",
    ),
    "param": (
        "api_key", "apikey", "token", "access_token", "client_secret", "password", "secret",
        "auth_token", "private_token", "apiKey", "refresh_token", "sessionid",
    ),
    "cookie": ("session", "sessionid", "JSESSIONID", "PHPSESSID", "connect.sid", "_session_id"),
    "scheme": (
        "postgresql", "postgres", "postgresql+psycopg2", "mysql+pymysql", "https", "sftp",
        "ftp", "http", "clickhouse+native", "trino", "redshift+psycopg2", "mssql+pyodbc",
    ),
}  # fmt: skip


def _word(rng: Random, name: str) -> str:
    """Return a harmless word for a marker such as ``<<host>>``."""
    if name == "host":
        return rng.choice(
            (
                f"db-{rng.randint(1, 40):02d}.prod.internal",
                "postgres.data.svc.cluster.local",
                f"api{rng.randint(1, 9)}.payments.example",
                "warehouse",
                "localhost",
            )
        )
    if name == "fqdn":
        return rng.choice(("api.payments.example", "crm.internal.example", "data.vendor.io"))
    if name == "port":
        return rng.choice(("5432", "3306", "8443", "6379", "1433"))
    if name == "n":
        return str(rng.randint(1, 99))
    if name == "ts":
        day, hour, minute = rng.randint(10, 28), rng.randint(10, 23), rng.randint(10, 59)
        return f"2026-11-{day}T{hour}:{minute}:07"
    return rng.choice(_WORDS[name])


# --------------------------------------------------------------------------------------------
# Templates
# --------------------------------------------------------------------------------------------


def _sql_quoted(raw: str) -> str:
    return "'" + raw.replace("'", "''") + "'"


_QUOTINGS: Final[dict[str, Callable[[str], str]]] = {
    "raw": str,
    "py": repr,
    "bytes": lambda raw: repr(raw.encode()),
    "js": lambda raw: json.dumps(raw, ensure_ascii=False),
    "sql": _sql_quoted,
    "sq": lambda raw: f"'{raw}'",
    "dq": lambda raw: f'"{raw}"',
    "bt": lambda raw: f"`{raw}`",
    "esc": lambda raw: raw.replace("\n", "\\n"),
    "indent": lambda raw: raw.replace("\n", "\n    "),
    "half": lambda raw: raw[: max(8, len(raw) * 2 // 3)],
    "url": lambda raw: quote(raw, safe=""),
    "b64": lambda raw: base64.b64encode(raw.encode()).decode(),
}
_MARKER: Final = re.compile(r"<<(?:(?P<quoting>\w+):)?(?P<kind>\w+)(?::(?P<number>\d))?>>")


def _filled(rng: Random, template: str) -> Canary:
    values: dict[tuple[str, str], _Value] = {}
    words: dict[tuple[str, str], str] = {}
    secrets: list[str] = []

    def fill(match: re.Match[str]) -> str:
        quoting, kind = match["quoting"], match["kind"]
        slot = (kind, match["number"] or "")
        if quoting is None:
            words[slot] = words.get(slot) or _word(rng, kind)
            return words[slot]
        value = values.get(slot) or _KINDS[kind](rng)
        values[slot] = value
        text = _QUOTINGS[quoting](value.raw)
        if quoting == "b64":
            secrets.extend((text, text[len(text) // 2 :][:16]))
        elif quoting == "half":
            secrets.append(text)
        elif quoting == "url":
            secrets.extend(_QUOTINGS[quoting](needle) for needle in value.needles)
        else:
            secrets.extend(value.needles)
        return text

    text = _MARKER.sub(fill, template)
    return Canary(text, tuple(dict.fromkeys(secrets)))


def _framed(rng: Random, canary: Canary) -> Canary:
    """Put the text where texts are put: into a log line, JSON, a repr or a traceback."""
    text, when = canary.text, _word(rng, "ts")
    frames: tuple[Callable[[], str], ...] = (
        lambda: f"[{when}.123+0000] {{taskinstance.py:3311}} ERROR - {text}",
        lambda: f"{when.replace('T', ' ')},482 - etl.load - WARNING - {text}",
        lambda: f"Task failed with exception: {text}",
        lambda: f"{text} (attempt 2 of 5)",
        lambda: f"{text}\nThe above exception was the direct cause of the following exception:",
        lambda: (
            "Traceback (most recent call last):\n"
            '  File "/opt/airflow/dags/etl.py", line 42, in extract\n'
            f"    client.send(batch)\nRuntimeError: {text}"
        ),
        lambda: json.dumps({"level": "error", "event": text, "retry": 2}, ensure_ascii=False),
        lambda: f"level=error attempt=2 msg={json.dumps(text, ensure_ascii=False)}",
        lambda: f"RuntimeError({text!r})",
        lambda: repr({"event": text, "attempt": 2}),
    )
    if _chance(rng, 0.35):
        return canary
    framed = rng.choice(frames)()
    if all(secret in framed for secret in canary.secrets):
        return Canary(framed, canary.secrets)
    return canary


def _strategies(
    templates: Mapping[str, tuple[str, ...]], bare: frozenset[str] | None = None
) -> dict[str, SearchStrategy[Canary]]:
    """Return a strategy for each family; those named in ``bare`` (None: all) get no frame."""

    def family(name: str) -> SearchStrategy[Canary]:
        def build(rng: Random) -> Canary:
            canary = _filled(rng, rng.choice(templates[name]))
            return canary if bare is None or name in bare else _framed(rng, canary)

        return st.randoms(use_true_random=True).map(build)

    return {name: family(name) for name in templates}


_TOKENS: Final[dict[str, tuple[str, ...]]] = {
    "aws_access_key": (
        "aws_access_key_id=<<raw:aws_key_id>>",
        "AWS_ACCESS_KEY_ID: <<raw:aws_key_id>>",
        (
            "An error occurred (InvalidAccessKeyId) when calling the ListObjectsV2 operation: "
            "<<raw:aws_key_id>> does not exist in our records"
        ),
        "<AWSAccessKeyId><<raw:aws_key_id>></AWSAccessKeyId>",
        '{"AccessKeyId": <<js:aws_key_id>>, "Status": "Active"}',
        "Found credentials <<raw:aws_key_id>> in shared file ~/.aws/credentials",
        "s3 client for key=<<raw:aws_key_id>>/<<region>>",
        "assumed role with [<<raw:aws_key_id>>]",
    ),
    "aws_secret_key": (
        "aws_secret_access_key=<<raw:aws_secret>>",
        "aws_secret_access_key = <<raw:aws_secret>>\nregion = <<region>>",
        "export AWS_SECRET_ACCESS_KEY=<<dq:aws_secret>>",
        '"SecretAccessKey": <<js:aws_secret>>',
        "session(aws_access_key_id=<<py:aws_key_id>>, aws_secret_access_key=<<py:aws_secret>>)",
        "spark.hadoop.fs.s3a.secret.key=<<raw:aws_secret>>",
        "fs.s3a.access.key=<<raw:aws_key_id>>, fs.s3a.secret.key=<<raw:aws_secret>>",
        "{'aws_secret_access_key': <<py:aws_secret>>, 'region_name': '<<region>>'}",
    ),
    "aws_session_token": (
        "aws_session_token=<<raw:aws_session>>",
        "AWS_SESSION_TOKEN=<<raw:aws_session>>",
        '{"AccessKeyId": <<js:aws_key_id>>, "SessionToken": <<js:aws_session>>}',
        "x-amz-security-token: <<raw:aws_session>>",
        "'SessionToken': <<py:aws_session>>, 'Expiration': datetime.datetime(2026, 11, 28, 3, 0)",
    ),
    "aws_presigned_url": (
        "GET <<raw:aws_presigned>>",
        "403 Client Error: Forbidden for url: <<raw:aws_presigned>>",
        "HTTP Error 403 while getting <<raw:aws_presigned>>: Forbidden",
        '{"url": "<<raw:aws_presigned>>", "expires": 3600}',
        "COPY INTO <<table>> FROM '<<raw:aws_presigned>>'",
        "<a href='<<raw:aws_presigned>>'>export</a>",
    ),
    "aws_sigv4_header": (
        (
            "Authorization: AWS4-HMAC-SHA256 Credential=<<raw:aws_key_id>>/20261128/<<region>>/s3/"
            "aws4_request, SignedHeaders=host;x-amz-date, Signature=<<raw:hex64>>"
        ),
        (
            "'Authorization': b'AWS4-HMAC-SHA256 Credential=<<raw:aws_key_id>>/20261128/<<region>>"
            "/glue/aws4_request, SignedHeaders=content-type;host, Signature=<<raw:hex64>>'"
        ),
    ),
    "azure_sas": (
        "https://acme.blob.core.windows.net/<<bucket>>/a.parquet?<<raw:azure_sas>>",
        (
            "AuthenticationFailed for https://acme.dfs.core.windows.net/raw?<<raw:azure_sas>> "
            "Time:2026-11-28T03:14:07.1Z"
        ),
        "SharedAccessSignature=<<raw:azure_sas>>",
        "sas_token='?<<raw:azure_sas>>'",
        'azcopy copy ./out "https://acme.blob.core.windows.net/out?<<raw:azure_sas>>"',
    ),
    "azure_connection_string": (
        (
            "DefaultEndpointsProtocol=https;AccountName=acmelake;"
            "AccountKey=<<raw:azure_account_key>>;EndpointSuffix=core.windows.net"
        ),
        (
            "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=RootManage;"
            "SharedAccessKey=<<raw:azure_bus_key>>;EntityPath=orders"
        ),
        ("--conf fs.azure.account.key.acmelake.dfs.core.windows.net=<<raw:azure_account_key>>"),
        "AccountEndpoint=https://acme.documents.azure.com/;AccountKey=<<raw:azure_account_key>>;",
    ),
    "azure_client_secret": (
        "AZURE_CLIENT_SECRET=<<raw:azure_client_secret>>",
        "ClientSecretCredential(tenant_id='t', client_secret=<<py:azure_client_secret>>)",
        "AADSTS7000215: Invalid client secret. clientSecret: <<dq:azure_client_secret>>",
        "fs.azure.account.oauth2.client.secret = <<raw:azure_client_secret>>",
    ),
    "gcp_api_key": (
        "https://maps.googleapis.com/maps/api/geocode/json?address=x&key=<<raw:gcp_api_key>>",
        (
            "<HttpError 400 when requesting https://www.googleapis.com/books/v1/volumes?key="
            '<<raw:gcp_api_key>>&alt=json returned "API key not valid.">'
        ),
        "x-goog-api-key: <<raw:gcp_api_key>>",
        "using <<raw:gcp_api_key>> for geocoding",
        "{'developerKey': <<py:gcp_api_key>>}",
        'GOOGLE_API_KEY="<<raw:gcp_api_key>>"',
    ),
    "gcp_oauth_token": (
        "Authorization: Bearer <<raw:gcp_oauth>>",
        '{"access_token": <<js:gcp_oauth>>, "expires_in": 3599, "token_type": "Bearer"}',
        "credentials token <<raw:gcp_oauth>> expired",
        '{"refresh_token": <<js:gcp_refresh>>, "type": "authorized_user"}',
    ),
    "gcp_service_account": (
        (
            '{"type": "service_account", "project_id": "shop-prod", "private_key_id": '
            '"<<raw:hex40>>", "private_key": <<js:pem>>, "client_id": "1"}'
        ),
        (
            "Service account info was not in the expected format: {'type': 'service_account', "
            "'private_key_id': '<<raw:hex40>>', 'private_key': <<py:pem>>}"
        ),
        'GOOGLE_APPLICATION_CREDENTIALS_JSON={\n  "private_key": <<js:pem>>\n}',
    ),
    "gcs_signed_url": (
        "download from <<raw:google_signed>>",
        "404 GET <<raw:google_signed>>: No such object: <<bucket>>/exports/a.csv",
        '"mediaLink": "<<raw:google_signed>>"',
    ),
    "github_token": (
        "GITHUB_TOKEN=<<raw:github>>",
        "Authorization: token <<raw:github>>",
        "fatal: unable to access 'https://<<raw:github>>@github.com/acme/dbt-shop.git/': 403",
        "https://x-access-token:<<raw:github>>@github.com/acme/dags.git",
        "git-sync: cloning with <<raw:github>>",
        "Github(<<py:github>>)",
        "login failed (<<raw:github>>)",
    ),
    "gitlab_token": (
        "PRIVATE-TOKEN: <<raw:gitlab>>",
        "https://oauth2:<<raw:gitlab>>@gitlab.example.com/data/dags.git",
        "https://gitlab.example.com/api/v4/projects/7?private_token=<<raw:gitlab>>",
        "gitlab.Gitlab('https://gitlab.example.com', private_token=<<py:gitlab>>)",
        "runner registered: <<raw:gitlab>>",
    ),
    "slack_token": (
        "SlackApiError: invalid_auth for <<raw:slack>>",
        "slack_token: <<raw:slack>>",
        "WebClient(token=<<py:slack>>)",
        "curl -H 'Authorization: Bearer <<raw:slack>>' https://slack.com/api/chat.postMessage",
        '{"ok": false, "bot": "<<raw:slack>>"}',
    ),
    "slack_webhook": (
        "POST https://hooks.slack.com/services/<<raw:slack_path>> returned 404",
        "webhook='https://hooks.slack.com/services/<<raw:slack_path>>'",
        (
            "HTTPSConnectionPool(host='hooks.slack.com', port=443): Max retries exceeded with "
            "url: https://hooks.slack.com/services/<<raw:slack_path>>"
        ),
    ),
    "stripe_key": (
        "stripe.api_key = <<py:stripe>>",
        "Invalid API Key provided: <<raw:stripe>>",
        "STRIPE=<<raw:stripe>>",
        "curl https://api.stripe.com/v1/charges -u <<raw:stripe>>:",
        '{"key": <<js:stripe>>}',
    ),
    "npm_token": (
        "//registry.npmjs.org/:_authToken=<<raw:npm>>",
        "NPM_TOKEN=<<raw:npm>>",
        "npm ERR! token <<raw:npm>> revoked",
    ),
    "pypi_token": (
        "twine upload -u __token__ -p <<raw:pypi>> dist/acme-1.2.0.tar.gz",
        "[pypi]\nusername = __token__\npassword = <<raw:pypi>>",
        "https://__token__:<<raw:pypi>>@upload.pypi.org/legacy/",
        "Uploading with <<raw:pypi>>",
    ),
    "databricks_token": (
        "DATABRICKS_TOKEN=<<raw:databricks>>",
        (
            "jdbc:databricks://adb-7.azuredatabricks.net:443;httpPath=/sql/1.0/warehouses/ab1;"
            "AuthMech=3;UID=token;PWD=<<raw:databricks>>"
        ),
        "databricks://token:<<raw:databricks>>@adb-7.azuredatabricks.net?http_path=/sql/1.0",
        "sql.connect(server_hostname='adb-7.net', access_token=<<py:databricks>>)",
        "Invalid access token <<raw:databricks>>.",
        "[DEFAULT]\nhost = https://adb-7.azuredatabricks.net\ntoken = <<raw:databricks>>",
    ),
    "snowflake_token": (
        'Authorization: Snowflake Token="<<raw:snowflake>>"',
        "'Authorization': 'Snowflake Token=\"<<raw:snowflake>>\"'",
        '{"data": {"masterToken": <<js:snowflake>>, "token": <<js:snowflake:1>>}}',
    ),
    "dbt_cloud_token": (
        "Authorization: Token <<raw:dbt_cloud>>",
        "DBT_CLOUD_API_TOKEN=<<raw:dbt_cloud>>",
        "Authorization: Token <<raw:hex40>>",
        "{'Authorization': 'Token <<raw:hex40>>', 'Accept': 'application/json'}",
        "dbt cloud service token <<raw:dbt_cloud>> lacks permission job_admin",
    ),
    "sendgrid_key": (
        "SENDGRID_API_KEY=<<raw:sendgrid>>",
        "Authorization: Bearer <<raw:sendgrid>>",
        "mail client with <<raw:sendgrid>> failed: 401",
    ),
    "llm_api_key": (
        (
            "Error code: 401 - {'error': {'message': 'Incorrect API key provided: <<raw:llm>>. "
            "You can find your API key in your account.'}}"
        ),
        "OPENAI_API_KEY=<<raw:llm>>",
        "x-api-key: <<raw:llm>>",
        "OpenAI(api_key=<<py:llm>>)",
    ),
    "saas_token": (
        "using <<raw:saas>> for the request",
        "Authorization: Bearer <<raw:saas>>",
        "login with <<py:saas>> failed",
        "TOKEN=<<raw:saas>>",
        "token rejected: <<raw:saas>>.",
    ),
    "vault_token": (
        "X-Vault-Token: <<raw:vault>>",
        "VAULT_TOKEN=<<raw:vault>>",
        "hvac.Client(url='https://vault:8200', token=<<py:vault>>)",
        "* permission denied for <<raw:vault>>",
    ),
    "fernet_key": (
        "AIRFLOW__CORE__FERNET_KEY=<<raw:fernet>>",
        "fernet_key = <<raw:fernet>>",
        "fernet_key: '<<raw:fernet>>'",
    ),
    "jwt": (
        "Authorization: Bearer <<raw:jwt>>",
        "token=<<raw:jwt>>",
        "Signature verification failed for <<raw:jwt>>",
        "jwt.decode(<<py:jwt>>, key, algorithms=['RS256'])",
        '{"id_token": <<js:jwt>>, "expires_in": 3600}',
        "https://<<fqdn>>/callback?state=ok&id_token=<<raw:jwt>>",
        "Cookie: _token=<<raw:jwt>>; lang=de",
        "b'<<raw:jwt>>'",
        "claims of <<raw:jwt>>, expired",
    ),
    "pem_private_key": (
        "<<raw:pem>>",
        "private_key: |\n    <<indent:pem>>\nuser: <<user>>",
        "Could not deserialize key data: <<py:pem>>",
        '{"private_key": <<js:pem>>, "user": "<<user>>"}',
        'PRIVATE_KEY="<<raw:pem>>"',
        "SNOWFLAKE_KEY='<<esc:pem>>'",
        "read key b'<<esc:pem>>' from /run/secrets/key",
        "loaded <<raw:pem>>\nfrom /run/secrets/key",
    ),
    "pem_private_key_cut_off": (
        "invalid key: <<raw:pem_cut>>",
        "{'private_key': '<<esc:pem_cut>>",
        "ssh_key=<<raw:pem_cut>>",
    ),
}

_HTTP: Final[dict[str, tuple[str, ...]]] = {
    "bearer_header": (
        "Authorization: Bearer <<raw:opaque>>",
        "authorization: bearer <<raw:opaque>>",
        "{'Authorization': 'Bearer <<raw:opaque>>'}",
        "headers={'authorization': b'Bearer <<raw:opaque>>'}",
        "Proxy-Authorization: Bearer <<raw:opaque>>",
        'Authorization="Bearer <<raw:opaque>>"',
        "AUTH header was Bearer <<raw:opaque>>",
        "Authorization: Token token=<<raw:opaque>>",
        "Authorization: ApiKey <<raw:opaque>>",
        "Authorization: GenieKey <<raw:opaque>>",
    ),
    "basic_auth_header": (
        "Authorization: Basic <<raw:basic>>",
        "'Authorization': 'Basic <<raw:basic>>'",
        '"authorization": "basic <<raw:basic>>"',
        "proxy-authorization: Basic <<raw:basic>>",
        "Proxy-Authorization: Basic <<raw:basic>>, Accept: */*",
        "BasicAuth(login='<<user>>', password=<<py:pwquoted>>, encoding='latin1')",
    ),
    "digest_auth_header": (
        (
            'Authorization: Digest username="<<user>>", realm="data", nonce="n1", uri="/v1", '
            'response="<<raw:hex32>>", algorithm=MD5'
        ),
        (
            'authorization: Digest response="<<raw:hex32>>", username="<<user>>", '
            'realm="api", qop=auth, nc=00000001, cnonce="<<raw:hex32:1>>"'
        ),
    ),
    "http_header_dump": (
        (
            "GET /v1/orders HTTP/1.1\r\nHost: <<fqdn>>\r\nAuthorization: Bearer <<raw:opaque>>\r\n"
            "X-Api-Key: <<raw:opaque:1>>\r\nCookie: <<cookie>>=<<raw:opaque:2>>\r\n\r\n"
        ),
        (
            "> GET /v1/orders HTTP/2\n> Host: <<fqdn>>\n> user-agent: curl/8.5.0\n"
            "> x-api-key: <<raw:opaque>>\n> authorization: Basic <<raw:basic>>\n>\n< HTTP/2 401"
        ),
        (
            "send: b'POST /v1 HTTP/1.1\\r\\nHost: <<fqdn>>\\r\\nAuthorization: Bearer "
            "<<raw:opaque>>\\r\\nX-Auth-Token: <<raw:opaque:1>>\\r\\n\\r\\n'"
        ),
        (
            "{'User-Agent': 'python-requests/2.32.3', 'Accept': '*/*', 'X-API-KEY': <<py:opaque>>, "
            "'Authorization': 'Bearer <<raw:opaque:1>>', 'Cookie': '<<cookie>>=<<raw:nonce>>'}"
        ),
        (
            "Headers([('host', '<<fqdn>>'), ('authorization', 'Bearer <<raw:opaque>>'), "
            "('x-api-key', <<py:opaque:1>>), ('accept', '*/*')])"
        ),
        (
            "<CIMultiDictProxy('Host': '<<fqdn>>', 'X-Auth-Token': <<py:opaque>>, "
            "'Set-Cookie': '<<cookie>>=<<raw:nonce>>; Path=/; HttpOnly')>"
        ),
        "metadata=(('authorization', 'Bearer <<raw:opaque>>'), ('x-api-key', <<py:opaque:1>>))",
        "[(b'host', b'<<fqdn>>'), (b'authorization', b'Bearer <<raw:opaque>>')]",
        "header: DD-API-KEY: <<raw:hex32>>\nheader: DD-APPLICATION-KEY: <<raw:hex40>>",
        "Ocp-Apim-Subscription-Key: <<raw:hex32>>\nAccept: application/json",
    ),
    "cookie_header": (
        "Cookie: <<cookie>>=<<raw:opaque>>; csrftoken=<<raw:nonce>>; lang=de",
        "cookie: lang=en; <<cookie>>=<<raw:opaque>>",
        "'Cookie': 'remember_token=<<raw:opaque>>; <<cookie>>=<<raw:nonce>>'",
        'curl -b "<<cookie>>=<<raw:opaque>>" https://<<fqdn>>/export',
    ),
    "set_cookie_header": (
        "Set-Cookie: <<cookie>>=<<raw:opaque>>; Path=/; HttpOnly; SameSite=Lax",
        "set-cookie: <<cookie>>=<<raw:opaque>>; Expires=Sat, 28 Nov 2026 03:14:07 GMT; Secure",
        "'Set-Cookie': '<<cookie>>=<<raw:opaque>>; Domain=.example.com'",
        "<RequestsCookieJar[<Cookie <<cookie>>=<<raw:opaque>> for .example.com/>]>",
    ),
    "session_id": (
        "GET /export;jsessionid=<<raw:nonce>>?page=2",
        "session_id=<<raw:opaque>> expired",
        "sessionid: <<raw:opaque>>",
        '{"sessionId": <<js:opaque>>, "page": 2}',
        "https://<<fqdn>>/report?PHPSESSID=<<raw:nonce>>",
    ),
    "url_credentials": (
        "<<scheme>>://<<user>>:<<raw:pwplain>>@<<host>>:<<port>>/<<db>>",
        "<<scheme>>://<<user>>:<<raw:pwurl>>@<<host>>/<<db>>?sslmode=require",
        "could not connect to <<scheme>>://<<user>>:<<raw:pwurl>>@<<host>>:<<port>>",
        "<<scheme>>://<<user>>:<<url:pwquoted>>@<<host>>:<<port>>/<<db>>",
        "SQLALCHEMY_DATABASE_URI='<<scheme>>://<<user>>:<<raw:pwurl>>@<<host>>/<<db>>'",
        "Engine(<<scheme>>://<<user>>:<<raw:pwurl>>@<<host>>/<<db>>)",
        "<<<scheme>>://<<user>>:<<raw:pwplain>>@<<host>>>",
        '{"uri": "<<scheme>>://<<user>>:<<raw:pwurl>>@<<host>>:<<port>>/<<db>>"}',
        "http_proxy=http://<<user>>:<<raw:pwplain>>@proxy.internal:3128",
        "fallback to https://<<user>>:<<raw:pwplain>>@<<fqdn>>/a, then https://<<fqdn>>/b",
        "s3a://<<raw:aws_key_id>>:<<url:aws_secret>>@<<bucket>>/raw/",
        "smtps://<<user>>:<<url:pwquoted>>@smtp.example:465",
    ),
    "url_credentials_unescaped": (
        "<<scheme>>://<<user>>:<<raw:pwat>>@<<host>>:<<port>>/<<db>>",
        "invalid DSN <<scheme>>://<<user>>:<<raw:pwat>>@<<host>>/<<db>>",
        'url="<<scheme>>://<<user>>:<<raw:pwat>>@<<host>>/<<db>>"',
    ),
    "url_token_as_user": (
        "https://<<raw:nonce>>@sentry.example/42",
        "git clone https://<<raw:opaque>>@git.example/acme/dags.git",
        "https://<<raw:opaque>>:@api.vendor.io/v2/orders",
        "https://<<raw:opaque>>:x-oauth-basic@github.com/acme/dags.git",
    ),
    "url_query_secret": (
        "https://<<fqdn>>/v1/orders?page=2&<<param>>=<<raw:opaque>>",
        "https://<<fqdn>>/v1/orders?<<param>>=<<raw:opaque>>&page=2",
        "401 Client Error: Unauthorized for url: https://<<fqdn>>/v1?<<param>>=<<raw:opaque>>",
        (
            "HTTPSConnectionPool(host='<<fqdn>>', port=443): Max retries exceeded with url: "
            "/v1/orders?<<param>>=<<raw:opaque>> (Caused by NewConnectionError('refused'))"
        ),
        '"GET /v1/orders?<<param>>=<<raw:opaque>>&limit=5 HTTP/1.1" 403 27',
        "Cannot connect to host https://<<fqdn>>/?a=1&amp;<<param>>=<<raw:opaque>>",
        "ws://<<fqdn>>/stream?<<param>>=<<raw:opaque>>#top",
        "https://<<fqdn>>/v1?<<param>>=<<url:pwquoted>>",
        "[INFO] fetch <https://<<fqdn>>/v1?<<param>>=<<raw:opaque>>>; rel=next",
    ),
    "url_fragment_token": (
        "https://<<fqdn>>/callback#access_token=<<raw:opaque>>&token_type=bearer",
        "redirected to http://localhost:8080/#state=1&access_token=<<raw:opaque>>",
    ),
    "url_encoded_nested_secret": (
        "https://<<fqdn>>/login?next=https%3A%2F%2F<<fqdn>>%2Fa%3Faccess_token%3D<<raw:opaque>>",
        "https://<<fqdn>>/go?u=%2Fexport%3Fapi_key%3D<<raw:opaque>>%26page%3D2",
    ),
    "oauth_form_body": (
        "grant_type=client_credentials&client_id=etl&client_secret=<<raw:opaque>>&scope=read",
        "body: grant_type=password&username=<<user>>&password=<<url:pwquoted>>",
        "data=b'grant_type=refresh_token&refresh_token=<<raw:opaque>>&client_id=etl'",
        "{'client_secret': ['<<raw:opaque>>'], 'grant_type': ['client_credentials']}",
    ),
    "oauth_token_response": (
        (
            '{"access_token": <<js:opaque>>, "token_type": "Bearer", "expires_in": 3600, '
            '"refresh_token": <<js:opaque:1>>}'
        ),
        '{"token_type":"Bearer","access_token":<<js:jwt>>,"id_token":<<js:jwt:1>>}',
        "{'access_token': <<py:opaque>>, 'instance_url': 'https://<<fqdn>>', 'scope': 'api'}",
        (
            '{\n    "scope": "read",\n    "access_token": <<js:opaque>>,\n'
            '    "refresh_token": <<js:opaque:1>>\n}'
        ),
    ),
}

_SETTINGS: Final[dict[str, tuple[str, ...]]] = {
    "password_key_value": (
        "<<key>>=<<raw:pw>>",
        "<<key>> = <<raw:pw>>",
        "<<key>>: <<raw:pw>>",
        "user=<<user>> <<key>>=<<raw:pw>> host=<<host>>",
        "login failed (<<key>>=<<raw:pw>>)",
        "<<key>>=<<raw:pw>>, user=<<user>>",
        "user=<<user>>;<<key>>=<<raw:pw>>;host=<<host>>",
        "connecting with <<key>>=<<raw:pw>>; retrying",
        "<<key>> => <<raw:pw>>",
        "<<key>>:<<raw:pw>>",
        "[<<key>>=<<raw:pwplain>>]",
        "host=<<host>>|<<key>>=<<raw:pwplain>>|port=5432",
        "host\t<<host>>\n<<key>>\t= <<raw:pw>>",
    ),
    "password_quoted": (
        "<<key>>=<<dq:pwquoted>>",
        "<<key>>=<<sq:pwquoted>>",
        "<<key>> = <<dq:pwquoted>>, user = <<user>>",
        "<<key>>: '<<raw:pwquoted>>'",
        "connect(host='<<host>>', <<pykey>>=<<py:pwquoted>>, port=5432)",
        "connect(user='<<user>>', password=<<py:pwquotes>>, port=5432)",
        "<<key>> => <<dq:pwquoted>>",
        "invalid <<key>>: <<py:pwquotes>> for <<user>>",
        "<<key>>=<<bt:pwquoted>>",
        "<<key>>=b'<<raw:pwplain>>'",
        "password=SecretStr(<<py:pwquoted>>)",
    ),
    "secret_json": (
        '{"user": "<<user>>", "<<key>>": <<js:pwquoted>>, "port": 5432}',
        '{"user":"<<user>>","<<key>>":<<js:pwquotes>>}',
        '{\n  "host": "<<host>>",\n  "<<key>>": <<js:pwquoted>>\n}',
        'extra={"extra__snowflake__account": "ab1", "<<key>>": <<js:opaque>>}',
        '[{"name": "<<user>>", "<<key>>": <<js:pw>>}, {"name": "b", "<<key>>": <<js:pw:1>>}]',
        '{"name": "<<envkey>>", "value": <<js:opaque>>}',
        '{"credentials": {"user": "<<user>>", "password": <<js:pwquoted>>}}',
        '{"<<key>>": [<<js:opaque>>, <<js:opaque:1>>]}',
        '{"<<key>>": <<raw:number>>, "port": 5432}',
    ),
    "secret_python_repr": (
        "{'user': '<<user>>', '<<key>>': <<py:pwquoted>>, 'port': 5432}",
        "{'user': '<<user>>', '<<key>>': <<py:pwquotes>>}",
        "Settings(host='<<host>>', password=<<py:pwquoted>>, schema='public')",
        "Credentials(user='<<user>>', client_secret=<<py:opaque>>, scopes=['read'])",
        "Connection(conn_id='dwh', login='<<user>>', password=<<py:pwquotes>>, port=5432)",
        "[('user', '<<user>>'), ('<<key>>', <<py:pwquoted>>)]",
        "OrderedDict([('password', <<py:pwquoted>>)])",
        "op_kwargs={'conn': {'password': <<py:pw>>}, 'table': '<<table>>'}",
        "config={'<<key>>': <<bytes:pwplain>>, 'retries': b'3'}",
        "namespace(db='<<db>>', api_key=<<py:opaque>>)",
    ),
    "secret_yaml": (
        "conn:\n  host: <<host>>\n  password: <<raw:pw>>\n  port: 5432",
        (
            "shop:\n  target: prod\n  outputs:\n    prod:\n      type: postgres\n"
            "      user: <<user>>\n      pass: <<dq:pwquoted>>\n      threads: 4"
        ),
        "- name: <<user>>\n  token: <<raw:opaque>>\n- name: other\n  token: <<raw:opaque:1>>",
        "client_secret: >-\n  <<raw:opaque>>\nscope: read",
        (
            "env:\n  - name: <<envkey>>\n    value: <<raw:opaque>>\n  - name: LOG_LEVEL\n"
            "    value: info"
        ),
    ),
    "secret_ini_toml": (
        "[database]\nuser = <<user>>\npassword = <<raw:pw>>\nport = 5432",
        '[tool.etl]\nclient_secret = "<<raw:opaque>>"\nregion = "<<region>>"',
        "[smtp]\nsmtp_host = smtp\nsmtp_password = <<raw:pw>>\nsmtp_port = 25",
        'variable "x" {\n  db_password = "<<raw:pwquoted>>"\n}',
        "machine <<fqdn>>\n  login <<user>>\n  password <<raw:pw>>\nmachine other login x",
    ),
    "secret_xml": (
        "<config><user><<user>></user><password><<raw:pw>></password></config>",
        "<SecretAccessKey><<raw:aws_secret>></SecretAccessKey>",
        '<add key="ApiKey" value="<<raw:opaque>>" />',
        (
            "<Credentials><AccessKeyId><<raw:aws_key_id>></AccessKeyId>"
            "<SessionToken><<raw:aws_session>></SessionToken></Credentials>"
        ),
        "<property><name>fs.s3a.secret.key</name><value><<raw:aws_secret>></value></property>",
        '<connection user="<<user>>" password="<<raw:pwplain>>"/>',
    ),
    "env_dump": (
        "LOG_LEVEL=info\n<<envkey>>=<<raw:pw>>\nHOME=/root",
        "export <<envkey>>='<<raw:pwquoted>>'\nexport TZ=UTC",
        "environ({'PATH': '/usr/bin', '<<envkey>>': <<py:pwquoted>>, 'TZ': 'UTC'})",
        "docker run -e <<envkey>>=<<raw:pw>> -e TZ=UTC acme/etl:1.4.2",
        'declare -x <<envkey>>="<<raw:pwquoted>>"',
        "AIRFLOW_CONN_DWH=postgres://<<user>>:<<raw:pwurl>>@<<host>>:5432/<<db>>\nTZ=UTC",
        (
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=postgresql+psycopg2://<<user>>:<<raw:pwplain>>"
            "@<<host>>/airflow"
        ),
        "AIRFLOW__CELERY__BROKER_URL=redis://:<<raw:pwurl>>@redis:6379/0",
        '"Env": ["PATH=/usr/bin", "<<envkey>>=<<raw:pw>>", "TZ=UTC"]',
    ),
    "command_line_secret": (
        "etl load --user <<user>> --password <<raw:pw>> --table <<table>>",
        "etl load --api-key=<<raw:opaque>> --table <<table>>",
        "PGPASSWORD=<<raw:pwplain>> psql -h <<host>> -U <<user>> -c 'select 1'",
        "mysqldump -u <<user>> --password='<<raw:pwquoted>>' <<db>>",
        "curl -u <<user>>:<<raw:pwplain>> https://<<fqdn>>/v1",
        "curl --user '<<user>>:<<raw:pwplain>>' https://<<fqdn>>/v1",
        "curl -H 'X-Api-Key: <<raw:opaque>>' -H 'Accept: */*' https://<<fqdn>>/v1",
        'curl -H "Authorization: Bearer <<raw:opaque>>" https://<<fqdn>>/v1',
        "Command '['sqlcmd', '-U', '<<user>>', '--password', <<py:pw>>]' returned non-zero exit",
        "Running command: ['snowsql', '--token', <<py:opaque>>, '-q', 'select 1']",
        "airflow connections add dwh --conn-login <<user>> --conn-password <<py:pw>>",
        "vault login -method=token token=<<raw:opaque>>",
        "sqoop import --connect jdbc:mysql://<<host>>/<<db>> --password <<raw:pwplain>> -m 1",
    ),
    "kubernetes_secret": (
        (
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: metadata\ntype: Opaque\ndata:\n"
            "  connection: <<b64:pwquoted>>\n  password: <<b64:pw>>"
        ),
        "kind: Secret\ndata:\n  tls.key: <<b64:pem>>\n  username: ZXRs\n",
        "kind: Secret\nmetadata:\n  name: api\nstringData:\n  api-token: <<raw:opaque>>\n",
        (
            '{"kind": "Secret", "data": {"postgres-password": "<<b64:pw>>"}, '
            '"metadata": {"name": "dwh"}}'
        ),
        "{'kind': 'Secret', 'data': {'webserver-secret-key': '<<b64:opaque>>'}}",
        "V1Secret(data={'fernet-key': '<<b64:fernet>>', 'connection': '<<b64:pwquoted>>'})",
    ),
    "docker_registry_auth": (
        '{"auths": {"registry.example": {"auth": "<<raw:basic>>"}}}',
        '{"auths":{"ghcr.io":{"username":"<<user>>","password":<<js:github>>}}}',
        "docker login -u <<user>> -p <<raw:pwplain>> registry.example",
    ),
    "ansi_colored_key_value": (
        (
            "\x1b[2m2026-11-28 03:14:07\x1b[0m \x1b[1mlogin\x1b[0m "
            "\x1b[36mpassword\x1b[0m=\x1b[35m<<raw:pwplain>>\x1b[0m \x1b[36muser\x1b[0m=etl"
        ),
        "\x1b[36mapi_key\x1b[0m=\x1b[35m<<raw:opaque>>\x1b[0m",
        "\x1b[31mERROR\x1b[0m \x1b[1mclient_secret: <<raw:opaque>>\x1b[0m",
    ),
    "jvm_map_dump": (
        "{user=<<user>>, password=<<raw:pw>>, url=jdbc:postgresql://<<host>>/<<db>>}",
        "Properties: {ssl.keystore.password=<<raw:pw>>, acks=all, sasl.mechanism=PLAIN}",
        "Map(user -> <<user>>, password -> <<raw:pw>>, dbtable -> <<table>>)",
        "(sfPassword,<<raw:pwplain>>)",
        "Config[user=<<user>>, apiKey=<<raw:opaque>>, retries=3]",
    ),
    "go_map_dump": (
        "map[password:<<raw:pwplain>> user:<<user>>]",
        "{Host:<<host>> Port:5432 Password:<<raw:pwplain>> SSLMode:require}",
        '&Config{Host:"<<host>>", ApiKey:"<<raw:opaque>>", Retries:3}',
    ),
}

_DSNS: Final[dict[str, tuple[str, ...]]] = {
    "dsn_libpq": (
        "host=<<host>> port=5432 dbname=<<db>> user=<<user>> password=<<raw:pw>>",
        "host='<<host>>' password='<<raw:pwquoted>>' dbname='<<db>>'",
        "user=<<user>> password=<<raw:pw>> dbname=<<db>> host=<<host>> port=5432",
        'could not connect: "password=<<raw:pw>> host=<<host>> sslmode=require"',
        "<connection object at 0x7f; dsn: 'user=etl password=<<raw:pw>> dbname=<<db>>', closed: 0>",
    ),
    "dsn_jdbc": (
        "jdbc:postgresql://<<host>>:5432/<<db>>?user=<<user>>&password=<<raw:pwurl>>",
        "jdbc:mysql://<<host>>:3306/<<db>>?password=<<raw:pwurl>>&user=<<user>>&useSSL=true",
        "jdbc:sqlserver://<<host>>:1433;databaseName=<<db>>;user=<<user>>;password=<<raw:pw>>;",
        "jdbc:sqlserver://<<host>>;user=<<user>>;password={<<raw:pwquoted>>};encrypt=true",
        "jdbc:oracle:thin:<<user>>/<<raw:pwplain>>@//<<host>>:1521/ORCL",
        "jdbc:snowflake://ab1.snowflakecomputing.com/?user=<<user>>&password=<<url:pwquoted>>",
        "jdbc:redshift://<<user>>:<<raw:pwplain>>@<<host>>:5439/<<db>>",
        "No suitable driver found for jdbc:trino://<<host>>/hive?user=etl&password=<<raw:pwurl>>",
    ),
    "dsn_odbc": (
        "Driver={ODBC Driver 18 for SQL Server};Server=<<host>>,1433;UID=<<user>>;PWD=<<raw:pw>>;",
        "DRIVER={PostgreSQL};SERVER=<<host>>;Uid=<<user>>;Pwd={<<raw:pwquoted>>};Encrypt=yes",
        "Server=<<host>>;Database=<<db>>;User Id=<<user>>;Password=<<raw:pw>>;Timeout=30",
        "Data Source=<<host>>;Password=<<raw:pw>>;User ID=<<user>>;Pooling=true",
        (
            "mssql+pyodbc:///?odbc_connect=DRIVER%3D%7BODBC%7D%3BUID%3D<<user>>%3B"
            "PWD%3D<<url:pwplain>>%3BEncrypt%3Dyes"
        ),
    ),
    "dsn_mongodb": (
        "mongodb+srv://<<user>>:<<raw:pwurl>>@cluster0.ab1cd.mongodb.net/<<db>>?w=majority",
        "mongodb://<<user>>:<<url:pwquoted>>@m1:27017,m2:27017,m3:27017/<<db>>?replicaSet=rs0",
        "MongoClient('mongodb://<<user>>:<<raw:pwplain>>@<<host>>:27017')",
    ),
    "dsn_amqp": (
        "amqp://<<user>>:<<raw:pwurl>>@rabbitmq:5672//",
        "amqps://<<user>>:<<url:pwquoted>>@rabbitmq.example:5671/%2Fprod",
        "Cannot connect to amqp://<<user>>:<<raw:pwplain>>@rabbitmq:5672//: refused.",
        "pyamqp://<<user>>:<<raw:pwplain>>@mq1:5672//;pyamqp://<<user>>:<<raw:pwplain>>@mq2:5672//",
    ),
    "dsn_redis": (
        "redis://:<<raw:pwurl>>@redis:6379/0",
        "rediss://default:<<raw:pwplain>>@redis.example:6380/1?ssl_cert_reqs=none",
        "sentinel://:<<raw:pwplain>>@s1:26379;sentinel://:<<raw:pwplain>>@s2:26379",
        "redis.Redis(host='<<host>>', password=<<py:pwquoted>>, db=0)",
        "<ConnectionPool(<Connection(host=redis,port=6379,password=<<raw:pwplain>>,db=0)>)>",
        "redis://redis:6379/0?password=<<raw:pwurl>>",
    ),
    "dsn_snowflake": (
        "snowflake://<<user>>:<<raw:pwurl>>@ab12345.eu-central-1/<<db>>/public?warehouse=etl",
        "snowflake://<<user>>:<<url:pwquoted>>@ab12345/<<db>>?role=loader",
        "snowflake.connector.connect(account='ab1', user='<<user>>', password=<<py:pwquoted>>)",
        "snowflake://<<user>>@ab1/<<db>>?authenticator=oauth&token=<<raw:opaque>>",
    ),
    "airflow_connection_uri": (
        "AIRFLOW_CONN_AWS=aws://<<raw:aws_key_id>>:<<url:aws_secret>>@/?region_name=<<region>>",
        "postgres://<<user>>:<<url:pwquoted>>@<<host>>:5432/<<db>>?sslmode=require",
        "http://<<user>>:<<raw:pwplain>>@https%3A%2F%2F<<fqdn>>%2F/https?timeout=30",
        "snowflake://<<user>>:<<raw:pwplain>>@/db?account=ab1&private_key_content=<<raw:opaque>>",
        "wasb://acmelake:<<url:azure_account_key>>@",
        "Using connection ID 'dwh': mysql://<<user>>:<<raw:pwurl>>@<<host>>/<<db>>",
        "google-cloud-platform://?keyfile_dict=%7B%22private_key%22%3A%22<<raw:opaque>>%22%7D",
        "databricks://:@adb-7.net?token=<<raw:databricks>>",
    ),
    "airflow_connection_json": (
        (
            '{"conn_type": "postgres", "login": "<<user>>", "password": <<js:pwquoted>>, '
            '"host": "<<host>>", "port": 5432}'
        ),
        (
            'AIRFLOW_CONN_X=\'{"conn_type": "aws", "login": "<<raw:aws_key_id>>", '
            '"password": "<<raw:aws_secret>>"}\''
        ),
        (
            "id: dwh. Host: <<host>>, Port: 5432, Schema: <<db>>, Login: <<user>>, "
            "Password: <<raw:pw>>, extra: {'secret_key': <<py:opaque>>}"
        ),
    ),
    "kafka_sasl_config": (
        (
            "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
            'username="<<user>>" password="<<raw:pwquoted>>";'
        ),
        "{'bootstrap.servers': 'b1:9092', 'sasl.password': <<py:pw>>, 'acks': 'all'}",
        "sasl.username=<<user>>\nsasl.password=<<raw:pw>>\nsecurity.protocol=SASL_SSL",
        "KafkaProducer(sasl_plain_username='<<user>>', sasl_plain_password=<<py:pwquoted>>)",
        "schema.registry.basic.auth.user.info=<<user>>:<<raw:pwplain>>",
        "ssl.truststore.password = <<raw:pw>>\nssl.key.password = <<raw:pw:1>>",
    ),
    "spark_conf_secret": (
        "spark-submit --conf spark.hadoop.fs.s3a.secret.key=<<raw:aws_secret>> --name etl app.py",
        "('spark.hadoop.fs.s3a.secret.key', <<py:aws_secret>>)",
        "spark.ssl.keyPassword  <<raw:pwplain>>\nspark.app.name  etl",
        "--conf spark.authenticate.secret=<<raw:opaque>> --executor-memory 4g",
        ".option('user', '<<user>>').option('password', <<py:pwquoted>>)",
    ),
    "sql_credentials": (
        (
            "CREATE STAGE s URL='s3://<<bucket>>' CREDENTIALS=(AWS_KEY_ID='<<raw:aws_key_id>>' "
            "AWS_SECRET_KEY='<<raw:aws_secret>>')"
        ),
        (
            "COPY <<table>> FROM 's3://<<bucket>>/a' CREDENTIALS 'aws_access_key_id="
            "<<raw:aws_key_id>>;aws_secret_access_key=<<raw:aws_secret>>' CSV"
        ),
        "CREATE USER etl WITH PASSWORD <<sql:pwquoted>> VALID UNTIL 'infinity'",
        "ALTER ROLE etl PASSWORD <<sql:pwquotes>>",
        "ALTER USER 'etl'@'%' IDENTIFIED BY <<sql:pwquoted>>",
        "CREATE SECRET s (TYPE s3, KEY_ID '<<raw:aws_key_id>>', SECRET '<<raw:aws_secret>>')",
        "SET s3_secret_access_key='<<raw:aws_secret>>'",
        "ATTACH 'host=<<host>> user=etl password=<<raw:pwplain>>' AS pg (TYPE postgres)",
        "CREATE USER MAPPING FOR etl SERVER s OPTIONS (user 'etl', password <<sql:pwquoted>>)",
    ),
}

_PERSONAL: Final[dict[str, tuple[str, ...]]] = {
    "email": (
        "Sending report to <<raw:email>>",
        "recipients: <<raw:email>>, <<raw:email:1>>; cc=<<raw:email:2>>",
        "mailto:<<raw:email>>?subject=report",
        '{"email": <<js:email>>, "id": 7}',
        "['<<raw:email>>', '<<raw:email:1>>']",
        "To: Order Desk <<<raw:email>>>",
        "user <<raw:email>> not found.",
        "1,<<raw:email>>,EUR,12.50",
        "{'<<raw:email>>': (550, b'5.1.1 <<<raw:email>>>: Recipient address rejected')}",
        "owner=<<raw:email>> dag=etl",
        "s3://<<bucket>>/users/<<raw:email>>/export.parquet",
        "https://<<fqdn>>/users?email=<<raw:email>>&page=2",
        "login:<<raw:email>>|ok",
        '"<<raw:email>>";"active"',
        "b'<<raw:email>>'",
        "(<<raw:email>>)",
    ),
    "email_url_encoded": (
        "https://<<fqdn>>/users?email=<<url:email>>&page=2",
        "GET /v1/contacts/<<url:email>> HTTP/1.1",
        "https://<<fqdn>>/unsubscribe?u=<<url:email>>",
    ),
    "card_number": (
        "card=<<raw:card>>",
        "charge declined for <<raw:card>>, exp 11/29",
        '{"pan": "<<raw:card>>", "brand": "visa"}',
        '{"card_number": <<raw:card>>}',
        "row 7: 7;<<raw:card>>;12.50;EUR",
        "7\t<<raw:card>>\t12.50",
        "('<<raw:card>>', 'EUR')",
        "PAN:<<raw:card>>|CUR:EUR",
        "https://<<fqdn>>/pay?number=<<raw:card>>&cur=EUR",
        "invalid card <<raw:card>>.",
        "[<<raw:card>>, <<raw:card:1>>]",
    ),
    "card_number_grouped": (
        "card <<raw:cardgrouped>>",
        "charge declined: <<raw:cardgrouped>> exp 11/29",
        '{"pan": "<<raw:cardgrouped>>"}',
        "1,<<raw:cardgrouped>>,EUR",
        "Customer paid with <<raw:cardgrouped>>.",
        "('<<raw:cardgrouped>>',)",
    ),
    "iban": (
        "iban=<<raw:iban>>",
        "payout to <<raw:iban>> failed",
        '{"iban": "<<raw:iban>>", "bic": "COBADEFFXXX"}',
        "1;<<raw:iban>>;EUR;12.50",
        "invalid account '<<raw:iban>>'",
        "https://<<fqdn>>/payout?to=<<raw:iban>>",
        "IBAN:<<raw:iban>>,BIC:COBADEFFXXX",
        "[<<raw:iban>>]",
    ),
    "iban_grouped": (
        "IBAN <<raw:ibangrouped>>",
        "payout to <<raw:ibangrouped>> failed",
        "IBAN: <<raw:ibangrouped>> BIC COBADEFFXXX",
        '{"iban": "<<raw:ibangrouped>>"}',
        "1,<<raw:ibangrouped>>,EUR",
        "Konto <<raw:ibangrouped>>.",
    ),
    "kafka_record": (
        (
            "ConsumerRecord(topic='orders', partition=3, offset=42, key=<<bytes:email>>, "
            'value=b\'{"email": "<<raw:email>>", "card": "<<raw:card>>"}\')'
        ),
        (
            "Failed to deserialize record at orders-3@42: "
            'b\'{"email":"<<raw:email>>","iban":"<<raw:iban>>"}\''
        ),
        "headers=[('authorization', b'Bearer <<raw:opaque>>')], key=<<bytes:email>>",
    ),
}

_SQL: Final[dict[str, tuple[str, ...]]] = {
    "sql_literal_where": (
        "SELECT * FROM <<table>> WHERE email = <<sql:email>>",
        "select id from <<table>> where name=<<sql:any>> and active",
        "SELECT 1 FROM <<table>> WHERE lower(name) = lower(<<sql:name>>) LIMIT 1",
        "DELETE FROM <<table>> WHERE note = <<sql:note>> AND id > 7",
        "SELECT * FROM <<table>> WHERE name LIKE '%<<raw:fullname>>%'",
        "SELECT * FROM <<table>> WHERE email ILIKE '<<raw:email>>%' ESCAPE '\\'",
        "SELECT * FROM <<table>>\nWHERE birth_date = DATE <<sql:baddate>>\n  AND id = 7",
        "SELECT * FROM <<table>> WHERE code <> <<sql:code>> -- don't retry",
        "WITH c AS (SELECT <<sql:any>> AS v) SELECT v FROM c",
        "SELECT * FROM `<<db>>.<<table>>` WHERE name = <<sql:any>>",
        'SELECT "email" FROM "<<table>>" WHERE "name" = <<sql:name>>',
        "CALL load(<<sql:any>>, 7)",
        "EXEC dbo.load @name = N<<sql:name>>, @id = 7",
    ),
    "sql_insert_values": (
        "INSERT INTO <<table>> (name, email) VALUES (<<sql:any>>, <<sql:email>>)",
        "INSERT INTO <<table>> VALUES (7, <<sql:any>>, NULL), (8, <<sql:any:1>>, NULL)",
        "insert into <<table>>\n  (name, note)\nvalues\n  (<<sql:name>>,\n   <<sql:note>>)",
        "MERGE INTO <<table>> t USING (SELECT <<sql:any>> AS v) s ON t.v = s.v",
        "REPLACE INTO <<table>> SET name=<<sql:any>>, email=<<sql:email>>",
        (
            "INSERT INTO <<table>> (email) VALUES (<<sql:email>>) ON CONFLICT (email) "
            "DO UPDATE SET name = <<sql:any>>"
        ),
        "INSERT INTO <<table>> SELECT 7, <<sql:any>>::text, cast(<<sql:any:1>> as varchar)",
    ),
    "sql_update_set": (
        "UPDATE <<table>> SET name = <<sql:any>> WHERE id = 7",
        "UPDATE <<table>> SET email=<<sql:email>>, note=<<sql:note>>",
        "UPDATE <<table>>\nSET name = <<sql:name>>\nWHERE email = <<sql:email>>",
    ),
    "sql_in_list": (
        "SELECT * FROM <<table>> WHERE name IN (<<sql:any>>, <<sql:any:1>>, <<sql:any:2>>)",
        "SELECT * FROM <<table>> WHERE email = ANY(ARRAY[<<sql:email>>,<<sql:email:1>>]::text[])",
        "WHERE v BETWEEN <<sql:any>> AND <<sql:any:1>>",
        "WHERE (name, code) IN ((<<sql:any>>, <<sql:code>>))",
    ),
    "sql_unusual_quoting": (
        "SELECT * FROM <<table>> WHERE note = $$<<raw:note>>$$",
        "SELECT * FROM <<table>> WHERE note = $v$<<raw:plain>>$v$",
        "INSERT INTO <<table>> VALUES (E'it\\'s <<raw:fullname>>', 7)",
        "INSERT INTO <<table>> VALUES ('\\'<<raw:fullname>>\\'', 7)",
        "INSERT INTO <<table>> VALUES ('''<<raw:fullname>>''')",
        "SELECT q'[<<raw:plain>>]' FROM dual",
        "SELECT U&'<<raw:plain>>' FROM <<table>>",
        "INSERT INTO <<table>> VALUES (_utf8mb4'<<raw:plain>>')",
        "SELECT * FROM <<table>> WHERE name = '' OR name = <<sql:name>>",
    ),
    "sql_truncated_literal": (
        "INSERT INTO <<table>> (name, email) VALUES (<<sql:name>>, '<<half:email>>",
        "SELECT * FROM <<table>> WHERE name = '<<half:plain>>",
        "UPDATE <<table>> SET name = <<sql:any>>, address = '<<half:address>>...",
        "INSERT INTO <<table>> VALUES (7, '<<half:fullname>>\n[truncated]",
    ),
    "sql_parameters_sqlalchemy": (
        (
            "[SQL: INSERT INTO <<table>> (name, email) VALUES (%(name)s, %(email)s)]\n"
            "[parameters: {'name': <<py:any>>, 'email': <<py:email>>}]"
        ),
        (
            "(sqlite3.IntegrityError) NOT NULL constraint failed: <<table>>.id\n"
            "[SQL: INSERT INTO <<table>> (name, ref, amount) VALUES (?, ?, ?)]\n"
            "[parameters: (<<py:any>>, <<raw:number>>, None)]\n"
            "(Background on this error at: https://sqlalche.me/e/20/gkpj)"
        ),
        (
            "[SQL: INSERT INTO <<table>> (name) VALUES (%(name)s)]\n"
            "[parameters: [{'name': <<py:any>>}, {'name': <<py:any:1>>}  ... displaying 10 of "
            "5000 total bound parameter sets ...  {'name': <<py:any:2>>}, {'name': <<py:any:3>>}]]"
        ),
        (
            "(psycopg2.OperationalError) server closed the connection unexpectedly\n"
            "[SQL: UPDATE <<table>> SET note=%(note)s, amount=%(amount)s WHERE id = %(id_1)s]\n"
            "[parameters: {'note': <<py:note>>, 'amount': Decimal('<<raw:number>>.07'), "
            "'id_1': <<raw:number:1>>}]"
        ),
        (
            "[SQL: SELECT ?]\n[parameters: (<<py:note>>, datetime.datetime(2026, 11, 28, 3, 14), "
            "<<bytes:email>>, True)]"
        ),
        (
            "[SQL: SELECT %s]\n[parameters: ('<<raw:fullname>> ... (302 characters truncated) ... "
            "<<raw:address>>', 7)]"
        ),
        "[cached since 0.41s ago] (<<py:any>>, <<py:email>>)",
        "INFO sqlalchemy.engine.Engine [generated in 0.00021s] {'name': <<py:any>>, 'id': 7}",
    ),
    "sql_parameters_logged": (
        "DETAIL:  parameters: $1 = <<sql:any>>, $2 = <<sql:number>>, $3 = NULL",
        (
            "LOG:  execute <unnamed>: SELECT * FROM <<table>> WHERE name = $1\n"
            "DETAIL:  Parameters: $1 = <<sql:name>>"
        ),
        (
            "Running statement: INSERT INTO <<table>> VALUES (%s, %s), parameters: "
            "(<<py:any>>, <<py:any:1>>)"
        ),
        "Running statement: SELECT %(name)s, parameters: {'name': <<py:any>>}",
        "query: [INSERT INTO <<table>> VALUES (<<sql:any>>, <<sql:email>>)]",
        "CONTEXT:  unnamed portal with parameters: $1 = <<sql:any>>, $2 = <<sql:any:1>>",
        "statement with parameters [<<raw:number>>, <<py:any>>]: SELECT ?, ?",
    ),
    "dbt_compiled_sql": (
        (
            "Database Error in model <<model>> (models/<<model>>.sql)\n"
            '  invalid input syntax for type integer: "<<raw:plain>>"\n'
            "  LINE 14: where external_ref = <<sql:plain>>\n"
            "                               ^\n"
            "  compiled code at target/run/shop/models/<<model>>.sql"
        ),
        (
            'On model.shop.<<model>>: /* {"app": "dbt", "node_id": "model.shop.<<model>>"} '
            "*/\nselect * from raw.<<table>> where name in (<<sql:any>>, <<sql:any:1>>)"
        ),
    ),
    "postgres_unique_violation": (
        (
            'duplicate key value violates unique constraint "<<table>>_email_key"\n'
            "DETAIL:  Key (email)=(<<raw:email>>) already exists."
        ),
        (
            "(psycopg2.errors.UniqueViolation) duplicate key value violates unique constraint "
            '"<<table>>_pkey"\nDETAIL:  Key (tenant, name)=(7, <<raw:any>>) already exists.\n'
        ),
        "DETAIL:  Key (lower(email::text))=(<<raw:email>>) already exists.",
        "Key (external_ref)=(<<raw:number>>) already exists.",
        "DETAIL: Key (name, code)=(<<raw:fullname>> (jr.), <<raw:code>>) already exists.",
        'could not create unique index "u"\nDETAIL:  Key (email)=(<<raw:email>>) is duplicated.',
        "DETAIL:  Schlüssel »(email)=(<<raw:email>>)« existiert bereits.",
    ),
    "postgres_not_null_violation": (
        (
            'null value in column "amount" of relation "<<table>>" violates not-null constraint\n'
            "DETAIL:  Failing row contains (1, <<raw:any>>, <<raw:email>>, null, 2026-11-28)."
        ),
        (
            'new row for relation "<<table>>" violates check constraint "<<table>>_amount_check"\n'
            "DETAIL:  Failing row contains (<<raw:number>>, <<raw:fullname>> (jr.), "
            "<<raw:address>>, -1.00).\n"
        ),
        "Failing row contains (<<raw:code>>, null, <<raw:note>>).",
        (
            'no partition of relation "<<table>>" found for row\n'
            "DETAIL:  Partition key of the failing row contains (name) = (<<raw:name>>)."
        ),
    ),
    "postgres_foreign_key_violation": (
        (
            'insert or update on table "<<table>>" violates foreign key constraint "fk_c"\n'
            'DETAIL:  Key (customer_email)=(<<raw:email>>) is not present in table "contacts".'
        ),
        'Key (ref)=(<<raw:any>>) is still referenced from table "<<table>>".',
        (
            'conflicting key value violates exclusion constraint "no_overlap"\n'
            "DETAIL:  Key (room)=(<<raw:code>>) conflicts with existing key (room)="
            "(<<raw:code:1>>)."
        ),
    ),
    "postgres_copy_context": (
        (
            'invalid input syntax for type integer: "<<raw:any>>"\n'
            'CONTEXT:  COPY <<table>>, line 3, column amount: "<<raw:any>>"'
        ),
        (
            'missing data for column "email"\nCONTEXT:  COPY <<table>>, line 3: '
            '"<<raw:number>>,<<raw:fullname>>,<<raw:address>>"'
        ),
        (
            "extra data after last expected column\n"
            'CONTEXT:  COPY <<table>>, line 4: "7\t<<raw:email>>\t<<raw:code>>"\n'
        ),
    ),
    "mysql_duplicate_entry": (
        "(1062, \"Duplicate entry '<<raw:email>>' for key '<<table>>.email'\")",
        "1062 (23000): Duplicate entry '<<raw:any>>' for key 'PRIMARY'",
        (
            "(pymysql.err.IntegrityError) (1062, \"Duplicate entry '<<raw:code>>-<<raw:fullname>>' "
            "for key '<<table>>.uq'\")\n[SQL: INSERT INTO <<table>> (name) VALUES (%(name)s)]\n"
            "[parameters: {'name': <<py:fullname>>}]"
        ),
        "Duplicate entry '<<raw:number>>' for key '<<table>>.uq_ref'",
    ),
    "sqlserver_duplicate_key": (
        (
            "Violation of UNIQUE KEY constraint 'UQ_<<table>>'. Cannot insert duplicate key in "
            "object 'dbo.<<table>>'. The duplicate key value is (<<raw:any>>)."
        ),
        (
            "('23000', \"[23000] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Cannot "
            "insert duplicate key row in object 'dbo.<<table>>' with unique index 'ix'. The "
            'duplicate key value is (<<raw:email>>, <<raw:number>>). (2601) (SQLExecDirectW)")'
        ),
    ),
    "oracle_duplicate_row": (
        (
            "ORA-00001: unique constraint (SHOP.UQ) violated on table SHOP.USERS columns (EMAIL)\n"
            "ORA-03301: (ORA-00001 details) row with column values (EMAIL:'<<raw:email>>') "
            "already exists"
        ),
        (
            "ORA-02291: integrity constraint (SHOP.FK_C) violated on table SHOP.ORDERS\n"
            "[SQL: INSERT INTO orders (email, name) VALUES (:email, :name)]\n"
            "[parameters: {'email': <<py:email>>, 'name': <<py:any>>}]"
        ),
    ),
    "mongodb_duplicate_key": (
        (
            "E11000 duplicate key error collection: shop.users index: email_1 dup key: "
            '{ email: "<<raw:email>>" }'
        ),
        (
            "E11000 duplicate key error collection: shop.users index: n dup key: "
            "{ name: \"<<raw:plain>>\" }, full error: {'index': 0, 'code': 11000, "
            "'keyValue': {'name': <<py:plain>>}}"
        ),
    ),
}

_EXCEPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "psycopg_invalid_text": (
        (
            'invalid input syntax for type integer: "<<raw:any>>"\n'
            "LINE 1: INSERT INTO <<table>> (amount) VALUES (<<sql:any>>)\n"
            "                                               ^\n"
        ),
        'invalid input syntax for type numeric: "<<raw:money>>"',
        'invalid input syntax for type uuid: "<<raw:code>>"\nLINE 2: where id = <<sql:code>>\n',
        (
            'date/time field value out of range: "<<raw:baddate>>"\nHINT:  Perhaps you need a '
            'different "datestyle" setting.'
        ),
        'invalid input value for enum order_status: "<<raw:any>>"',
        'malformed array literal: "<<raw:any>>"\nDETAIL:  Array value must start with "{".',
        'value "<<raw:number>>" is out of range for type integer',
        "ungültige Eingabesyntax für Typ integer: »<<raw:plain>>«",
    ),
    "psycopg_json": (
        (
            'invalid input syntax for type json\nDETAIL:  Token "<<raw:code>>" is invalid.\n'
            'CONTEXT:  JSON data, line 1: {"email": "<<raw:email>>", "ref": <<raw:code>>...'
        ),
        (
            "invalid input syntax for type json\nLINE 1: INSERT INTO <<table>> VALUES "
            '(\'{"name": "<<raw:fullname>>"\')\n                              ^\n'
            'DETAIL:  The input string ended unexpectedly.\nCONTEXT:  JSON data, line 1: {"name": '
            '"<<raw:fullname>>"'
        ),
    ),
    "asyncpg_argument": (
        (
            "invalid input for query argument $1: <<py:any>> ('str' object cannot be interpreted "
            "as an integer)"
        ),
        (
            "invalid input for query argument $3 in element #7 of executemany() sequence: "
            "<<py:any>> (expected a datetime.date instance, got 'str')"
        ),
    ),
    "sqlalchemy_wrapped": (
        (
            "(psycopg2.errors.InvalidTextRepresentation) invalid input syntax for type integer: "
            '"<<raw:any>>"\nLINE 1: ...T INTO <<table>> (name, amount) VALUES (<<sql:name>>, '
            "<<sql:any>>)\n                                             ^\n\n"
            "[SQL: INSERT INTO <<table>> (name, amount) VALUES (%(name)s, %(amount)s)]\n"
            "[parameters: {'name': <<py:name>>, 'amount': <<py:any>>}]\n"
            "(Background on this error at: https://sqlalche.me/e/20/9h9h)"
        ),
        (
            "(builtins.KeyError) <<py:any>>\n[SQL: SELECT * FROM <<table>> WHERE name = ?]\n"
            "[parameters: [{'name': <<py:any>>}]]"
        ),
        (
            "'<<raw:plain>>' is not among the defined enum values. Enum name: status. Possible "
            "values: open, paid"
        ),
    ),
    "pymysql_data": (
        "(1366, \"Incorrect integer value: '<<raw:any>>' for column 'amount' at row 1\")",
        "(1292, \"Truncated incorrect DOUBLE value: '<<raw:plain>>'\")",
        "(1292, \"Incorrect datetime value: '<<raw:baddate>>' for column 'birth_date' at row 7\")",
        (
            '(1064, "You have an error in your SQL syntax; check the manual that corresponds to '
            "your MySQL server version for the right syntax to use near '<<raw:plain>>', 7)' at "
            'line 1")'
        ),
        "1411 (HY000): Incorrect datetime value: '<<raw:plain>>' for function str_to_date",
    ),
    "snowflake_programming": (
        "100038 (22018): 01b0a-12: Numeric value '<<raw:any>>' is not recognized",
        "100040 (22007): Date '<<raw:baddate>>' is not recognized",
        "100035 (22007): Timestamp '<<raw:plain>>' is not recognized",
        (
            "100078 (22000): String '<<raw:address>>' is too long and would be truncated\n"
            '  File \'exports/a.csv\', line 3, character 14\n  Row 2, column "T"["NAME":2]'
        ),
        (
            "100090 (42P18): Duplicate row detected during DML action\n"
            'Row Values: [<<raw:number>>, "<<raw:plain>>", "<<raw:email>>"]'
        ),
        '100069 (22P02): Error parsing JSON: {"email": "<<raw:email>>", "name": \'<<raw:plain>>\'',
        (
            "001003 (42000): SQL compilation error:\nsyntax error line 1 at position 38 unexpected "
            "'<<raw:plain>>'."
        ),
    ),
    "sqlserver_conversion": (
        (
            "('22018', \"[22018] [Microsoft][ODBC Driver 18 for SQL Server][SQL Server]Conversion "
            "failed when converting the varchar value '<<raw:any>>' to data type int. (245) "
            '(SQLExecDirectW)")'
        ),
        (
            "String or binary data would be truncated in table 'shop.dbo.<<table>>', column "
            "'name'. Truncated value: '<<raw:any>>'."
        ),
        "Conversion failed when converting the nvarchar value '<<raw:name>>' to data type int.",
    ),
    "duckdb_conversion": (
        "Conversion Error: Could not convert string '<<raw:any>>' to INT32",
        (
            "Conversion Error: CSV Error on Line: 3\nOriginal Line: <<raw:number>>,"
            '"<<raw:address>>",<<raw:email>>\n'
            'Error when converting column "amount". Could not convert string '
            "\"<<raw:plain>>\" to 'BIGINT'"
        ),
        'Constraint Error: Duplicate key "email: <<raw:email>>" violates unique constraint.',
        (
            'Constraint Error: Violates foreign key constraint because key "name: <<raw:plain>>" '
            "does not exist in the referenced table"
        ),
        (
            'Conversion Error: invalid date field format: "<<raw:baddate>>", expected format is '
            "(YYYY-MM-DD)\n\nLINE 1: select date <<sql:baddate>>\n               ^"
        ),
    ),
    "sqlite3_statement": (
        'unrecognized token: "\'<<raw:plain>>"',
        'near "<<raw:plain>>": syntax error',
        "UNIQUE constraint failed: <<table>>.email: INSERT INTO <<table>> VALUES (<<sql:any>>)",
        "Error binding parameter 'note': type 'Note(<<py:any>>)' is not supported",
    ),
    "bigquery_bad_value": (
        (
            "400 Error while reading data, error message: Could not parse '<<raw:any>>' as INT64 "
            "for field amount (position 3) starting at location 1204; location: gs://raw/a.csv"
        ),
        "400 Bad int64 value: '<<raw:plain>>'",
        '400 Invalid timestamp string "<<raw:baddate>>"; reason: invalidQuery',
        'Could not cast literal "<<raw:plain>>" to type DATE at [1:42]',
        (
            "[{'index': 0, 'errors': [{'reason': 'invalid', 'location': 'amount', 'message': "
            "'Cannot convert value to integer (bad value): \"<<raw:plain>>\"'}]}]"
        ),
    ),
    "key_error": (
        "<<py:any>>",
        "KeyError: <<py:any>>",
        "KeyError(<<py:any>>)",
        "(<<py:any>>, <<py:any:1>>)",
        "Key <<py:any>> not found in mapping",
        "\"None of [Index([<<py:any>>, <<py:any:1>>], dtype='object')] are in the [index]\"",
        '"[<<py:plain>>, <<py:plain:1>>] not in index"',
    ),
    "int_conversion": (
        "invalid literal for int() with base 10: <<py:any>>",
        "ValueError: invalid literal for int() with base 10: <<py:any>>",
        "invalid literal for int() with base 10: <<bytes:email>>",
        (
            "invalid literal for int() with base 10: <<py:any>>: Error while type casting for "
            "column 'amount'"
        ),
    ),
    "float_conversion": (
        "could not convert string to float: <<py:any>>",
        "complex() arg is a malformed string: <<py:plain>>",
        "Invalid literal for Fraction: <<py:any>>",
        "[<<py:any>>] could not be converted to Decimal",
    ),
    "datetime_parsing": (
        "time data <<py:any>> does not match format '%Y-%m-%d'",
        "Invalid isoformat string: <<py:any>>",
        (
            'time data "<<raw:baddate>>" doesn\'t match format "%Y-%m-%d", at position 7. You '
            "might want to try:\n    - passing `format` if your strings have a consistent format;"
        ),
        "Could not match input <<py:any>> to any of the following formats: YYYY-MM-DD.",
        "Text '<<raw:plain>>' could not be parsed at index 0",
    ),
    "enum_and_choice": (
        "<<py:any>> is not a valid Status",
        "invalid choice: <<py:any>> (choose from open, paid)",
        "expected one of (open, paid), got <<py:any>>",
        "<<py:any>> is not in list",
        "unknown country code <<py:any>>",
        "AssertionError: unexpected value <<py:any>>",
        "assert <<py:any>> == <<py:any:1>>",
    ),
    "pydantic_v2": (
        (
            "1 validation error for Order\namount\n  Input should be a valid integer, unable to "
            "parse string as an integer [type=int_parsing, input_value=<<py:any>>, "
            "input_type=str]\n    For further information visit "
            "https://errors.pydantic.dev/2.9/v/int_parsing"
        ),
        (
            "2 validation errors for Customer\nemail\n  value is not a valid email address: An "
            "email address must have an @-sign. [type=value_error, input_value=<<py:name>>, "
            "input_type=str]\nborn\n  Input should be a valid date [type=date_from_datetime_parsing"
            ", input_value=<<py:baddate>>, input_type=str]"
        ),
        (
            "1 validation error for Customer\nphone\n  Field required [type=missing, input_value="
            "{'email': <<py:email>>, 'na...n', 'ref': <<py:code>>}, input_type=dict]"
        ),
        (
            "1 validation error for list[Order]\n0.id\n  Input should be a valid integer "
            "[type=int_type, input_value=['<<raw:plain>>', '<<half:fullname>>...ot'], "
            "input_type=list]"
        ),
        (
            "1 validation error for Order\n  Invalid JSON: expected value at line 1 column 1 "
            '[type=json_invalid, input_value=\'{"name": "<<raw:plain>>"\', input_type=str]'
        ),
        (
            "[{'type': 'int_parsing', 'loc': ('amount',), 'msg': 'Input should be a valid integer'"
            ", 'input': <<py:any>>}]"
        ),
    ),
    "jsonschema_validation": (
        (
            "<<py:any>> is not of type 'integer'\n\nFailed validating 'type' in "
            "schema['properties']['amount']:\n    {'type': 'integer'}\n\nOn instance['amount']:\n"
            "    <<py:any>>"
        ),
        "<<py:any>> does not match '^[A-Z]{2}$'",
        "{'email': <<py:email>>, 'name': <<py:name>>} is not valid under any of the given schemas",
        "data.amount must be integer, got <<py:any>>",
    ),
    "json_excerpt": (
        (
            "Unrecognized token '<<raw:code>>': was expecting (JSON String, Number, Array, Object "
            "or token 'null', 'true' or 'false')\n at [Source: (String)\"{\"email\":\"<<raw:email>>"
            '","name":"<<raw:fullname>>"[truncated 512 chars]; line: 1, column: 9]'
        ),
        'Expecting \',\' delimiter: line 1 column 9: \'{"email": "<<raw:email>>" "n\'',
        "Could not decode JSON: {'name': <<py:any>>, 'email': <<py:email>>",
        'Invalid JSON payload received. Unexpected token.\n{"name": "<<raw:plain>>",}\n      ^',
        'could not decode body b\'{"email": "<<raw:email>>"\'',
    ),
    "yaml_excerpt": (
        (
            'while scanning a quoted scalar\n  in "<unicode string>", line 3, column 13:\n'
            '      password: "<<raw:pwplain>>\n                ^\n'
            "found unexpected end of stream"
        ),
        (
            'mapping values are not allowed here\n  in "conn.yml", line 2, column 22:\n'
            "    password: <<raw:pwplain>> host: x\n                     ^"
        ),
    ),
    "pandas_conversion": (
        'Unable to parse string "<<raw:any>>" at position 3',
        (
            "could not convert string to float: <<py:any>>: Error while type casting for "
            "column 'amount'"
        ),
        (
            "Cannot setitem on a Categorical with a new category (<<py:any>>), set the categories "
            "first"
        ),
        "Could not convert <<py:any>> to numeric",
        "Could not convert string '<<raw:plain>><<raw:plain:1>>' to numeric",
        "cannot do slice indexing on RangeIndex with these indexers [<<py:any>>] of type str",
        "Value <<py:any>> has dtype incompatible with int64, please explicitly cast",
        "data type <<py:plain>> not understood",
        "Merge keys are not unique: [(<<py:any>>, <<py:any:1>>)]",
    ),
    "pyarrow_conversion": (
        "Could not convert <<py:any>> with type str: tried to convert to int64",
        (
            "(\"Could not convert '<<raw:plain>>' with type str: tried to convert to double\", "
            "'Conversion failed for column amount with type object')"
        ),
        "Failed to parse string: '<<raw:any>>' as a scalar of type int64",
        "In CSV column #3: CSV conversion error to int64: invalid value '<<raw:any>>'",
        "Value '<<raw:plain>>' not in dictionary",
    ),
    "polars_conversion": (
        (
            "conversion from `str` to `i64` failed in column 'amount' for 3 out of 10 values: "
            '["<<raw:plain>>", "<<raw:plain:1>>", … "<<raw:plain:2>>"]'
        ),
        "could not parse `<<raw:plain>>` as dtype `i64` at column 'amount' (column index 3)",
        'cannot cast value "<<raw:plain>>" to Enum',
    ),
    "avro_and_protobuf": (
        "<<py:any>> (type <class 'str'>) do not match ['null', 'int'] on field amount",
        'The datum <<py:any>> provided for "amount" is not an example of the schema "int"',
        (
            "The datum \"{'email': <<py:email>>, 'name': <<py:fullname>>}\" provided for "
            '"Customer" is not an example of the schema'
        ),
        "Failed to parse amount field: Couldn't parse integer: <<dq:plain>>.",
        "Enum value <<dq:plain>> is not valid",
        "<<py:any>> has type str, but expected one of: int, long",
    ),
    "spark_cast": (
        (
            "[CAST_INVALID_INPUT] The value '<<raw:any>>' of the type \"STRING\" cannot be cast to "
            '"INT" because it is malformed. Correct the value as per the syntax. SQLSTATE: 22018'
        ),
        'java.lang.NumberFormatException: For input string: "<<raw:any>>"',
        (
            "Job aborted due to stage failure: Task 3 in stage 7.0 failed 4 times: "
            'java.lang.NumberFormatException: For input string: "<<raw:plain>>"\n'
            "\tat java.base/java.lang.Integer.parseInt(Integer.java:652)"
        ),
        (
            "[MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION] Malformed records are detected in "
            'record parsing: ["<<raw:plain>>","<<raw:email>>"].'
        ),
        "java.time.format.DateTimeParseException: Text '<<raw:baddate>>' could not be parsed",
        "[CANNOT_PARSE_TIMESTAMP] Text '<<raw:baddate>>' could not be parsed at index 0.",
        "[MAP_KEY_DOES_NOT_EXIST] Key '<<raw:any>>' does not exist.",
    ),
    "trino_cast": (
        (
            'TrinoUserError(type=USER_ERROR, name=INVALID_CAST_ARGUMENT, message="Cannot cast '
            "'<<raw:any>>' to INT\", query_id=20261128_031407_00042_ab1cd)"
        ),
        "Cannot cast '<<raw:plain>>' to BIGINT",
        'INVALID_FUNCTION_ARGUMENT: Invalid format: "<<raw:baddate>>"',
    ),
    "clickhouse_parse": (
        (
            "Code: 6. DB::Exception: Cannot parse string '<<raw:any>>' as Int32: syntax error at "
            "begin of string: while executing 'FUNCTION toInt32(amount)'. (CANNOT_PARSE_TEXT)"
        ),
        (
            "Code: 27. DB::Exception: Cannot parse input: expected ',' before: '<<raw:plain>>': "
            "(at row 3)\nRow 3:\nColumn 0,   name: id,     type: Int32,  parsed text: "
            '"<<raw:code>>"ERROR'
        ),
    ),
    "elasticsearch_parse": (
        (
            "BadRequestError(400, 'document_parsing_exception', \"[1:9] failed to parse field "
            "[amount] of type [long] in document with id 7. Preview of field's value: "
            "'<<raw:any>>'\")"
        ),
        (
            "('1 document(s) failed to index.', [{'index': {'status': 400, 'data': {'email': "
            "<<py:email>>, 'name': <<py:fullname>>}}}])"
        ),
    ),
    "redis_command": (
        "unknown command 'HSETT', with args beginning with: '<<raw:plain>>' '<<raw:email>>' ",
        "Command # 1 (SET <<raw:email>> <<dq:plain>>) of pipeline caused error: WRONGTYPE",
    ),
    "cassandra_and_dynamodb": (
        'Failed to bind: Received an argument of invalid type for column "amount". Got: <<py:any>>',
        (
            "An error occurred (ValidationException) when calling the PutItem operation: The "
            "parameter cannot be converted to a numeric value: '<<raw:any>>'"
        ),
        (
            "An error occurred (ConditionalCheckFailedException) when calling the PutItem "
            "operation: {'Item': {'email': {'S': <<py:email>>}, 'name': {'S': <<py:fullname>>}}}"
        ),
    ),
    "great_expectations_result": (
        (
            "Validation failed: {'element_count': 500, 'unexpected_count': 3, "
            "'unexpected_percent': 0.6, 'partial_unexpected_list': [<<py:any>>, <<py:any:1>>, "
            "<<py:any:2>>]}"
        ),
        (
            '{\n  "success": false,\n  "result": {\n    "unexpected_count": 2,\n'
            '    "partial_unexpected_list": [\n      <<js:any>>,\n      <<js:any:1>>\n    ],\n'
            '    "partial_unexpected_counts": [{"value": <<js:any>>, "count": 1}]\n  }\n}'
        ),
        "expect_column_values_to_match_regex failed: observed_value=<<py:any>>",
        "unexpected_values=[<<py:email>>, <<py:email:1>>]",
    ),
    "pandera_failure_cases": (
        (
            "Column 'amount' failed element-wise validator number 0: greater_than(0) failure "
            "cases: <<py:any>>, <<py:any:1>>"
        ),
        "Error while coercing 'amount' to type int64: Could not coerce <<py:any>>",
        "expected series 'amount' to have unique values, got duplicates [<<py:any>>, <<py:any:1>>]",
    ),
    "python_argument_repr": (
        "malformed node or string: <<py:any>>",
        "unsupported value <<py:any>> for column amount",
        "bad row: (<<raw:number>>, <<py:any>>, None, Decimal('<<raw:number:1>>.50'))",
        "cannot parse row {'id': 7, 'name': <<py:any>>, 'email': <<py:email>>}",
        "cannot load Customer(id=7, name=<<py:any>>, email=<<py:email>>)",
        "dictionary update sequence element #0 has length 13; 2 is required: [<<py:any>>]",
        "Row(id=7, name=<<py:any>>, email=<<py:email>>) rejected",
        "expected int, got <<py:any>> (str)",
        "array([<<py:any>>, <<py:any:1>>], dtype=object) is not sorted",
        "{<<py:plain>>, <<py:plain:1>>} are missing",
    ),
    "unicode_errors": (
        ("UnicodeEncodeError('ascii', <<py:note>>, 1, 2, 'ordinal not in range(128)')"),
        "UnicodeDecodeError('utf-8', b'<<raw:email>>\\xfc', 30, 31, 'invalid start byte')",
    ),
    "csv_row_excerpt": (
        "CSV parse error: Expected 3 columns, got 4: <<raw:number>>,<<raw:email>>,<<raw:iban>>,x",
        'Error on line 3: "<<raw:number>>","<<raw:address>>","<<raw:email>>"',
        "row 7 has wrong number of fields: ['<<raw:plain>>', '<<raw:email>>']",
        "line contains NUL: <<py:any>>",
    ),
    "subprocess_command": (
        (
            "Command '['psql', '-c', \"INSERT INTO <<table>> VALUES (<<sql:plain>>)\"]' returned "
            "non-zero exit status 1."
        ),
        (
            "Command 'PGPASSWORD=<<raw:pwplain>> pg_dump -h <<host>> <<db>>' returned non-zero "
            "exit status 1."
        ),
        "Command '['etl', '--password', <<py:pwquoted>>]' timed out after 30 seconds",
    ),
    "http_client_url": (
        "401 Client Error: Unauthorized for url: https://<<fqdn>>/v1?api_key=<<raw:opaque>>",
        (
            "HTTPSConnectionPool(host='<<fqdn>>', port=443): Max retries exceeded with url: "
            "/v1/users/<<url:email>>?token=<<raw:opaque>> (Caused by "
            "ConnectTimeoutError)"
        ),
        (
            "Client error '404 Not Found' for url 'https://<<fqdn>>/users?email=<<url:email>>'\n"
            "For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/404"
        ),
        "Failed to parse: https://<<user>>:<<raw:pwat>>@<<host>>/<<db>>",
        "422, message='{\"detail\": \"<<raw:email>> is already registered\"}', url='/v1/users'",
    ),
    "smtp_recipients": (
        "{'<<raw:email>>': (550, b'5.1.1 <<<raw:email>>>: Recipient address rejected')}",
        "(553, b'5.7.1 <<<raw:email>>>: Sender address rejected', '<<raw:email>>')",
    ),
    "template_and_dbt": (
        (
            "Database Error in test unique_email (models/schema.yml)\n"
            "  Numeric value '<<raw:any>>' is not recognized"
        ),
        "Runtime Error\n  Could not render the variable: got <<py:any>>",
        (
            "Compilation Error in model <<model>>\n  invalid literal for int() with base 10: "
            "<<py:any>>"
        ),
    ),
}

_IP_AND_PHONE: Final[dict[str, tuple[str, ...]]] = {
    "ipv4": (
        ('connection to server at "<<host>>" (<<raw:ipv4>>), port 5432 failed: Connection refused'),
        'FATAL:  no pg_hba.conf entry for host "<<raw:ipv4>>", user "etl", database "shop"',
        "Access denied for user 'etl'@'<<raw:ipv4>>' (using password: YES)",
        "client_ip=<<raw:ipv4>>",
        '<<raw:ipv4>> - - [28/Nov/2026:03:14:07 +0000] "GET /health HTTP/1.1" 200 2',
        '{"ip": "<<raw:ipv4>>", "port": 443}',
        "Incoming request with IP/Token <<raw:ipv4>> is not allowed to access Snowflake.",
        "peer <<raw:ipv4>>.",
    ),
    "ipv4_with_port": (
        "Failed to connect to <<raw:ipv4>>:9092",
        "http://<<raw:ipv4>>:8080/health",
        "ipv4:<<raw:ipv4>>:443: Failed to connect",
        "('<<raw:ipv4>>', 5432)",
        "Cannot connect to /<<raw:ipv4>>:7077",
        "CIDR <<raw:ipv4>>/24 is not in the allow list",
    ),
    "ipv6": (
        'connection to server at "localhost" (<<raw:ipv6>>), port 5432 failed',
        "http://[<<raw:ipv6>>]:8080/health",
        "client_ip=<<raw:ipv6>>",
        "[<<raw:ipv6>>]:5432 timed out",
        "('<<raw:ipv6>>', 5432, 0, 0)",
        '{"ip": "<<raw:ipv6>>"}',
    ),
    "forwarded_for": (
        "X-Forwarded-For: <<raw:ipv4>>, <<raw:ipv4:1>>",
        "X-Real-IP: <<raw:ipv4>>",
        "'X-Forwarded-For': '<<raw:ipv6>>, <<raw:ipv4>>'",
        'Forwarded: for=<<raw:ipv4>>;proto=https;by="[<<raw:ipv6>>]"',
    ),
    "phone_international": (
        "phone=<<raw:phone>>",
        "SMS to <<raw:phone>> failed",
        '{"phone": "<<raw:phone>>"}',
        "tel:<<raw:phone>>",
        "7;<<raw:phone>>;DE",
        "Call <<raw:phone>>.",
    ),
    "phone_local": (
        "phone=<<raw:phonelocal>>",
        "phone_number: <<raw:phonelocal>>",
        '{"mobile": "<<raw:phonelocal>>"}',
        "Tel.: <<raw:phonelocal>>",
        "Telefon <<raw:phonelocal>>",
        "'phone': '<<raw:phonelocal>>'",
    ),
}

_UNFRAMED: Final = frozenset({"pem_private_key_cut_off", "sql_truncated_literal"})

FAMILIES: Final[dict[str, SearchStrategy[Canary]]] = _strategies(
    {**_TOKENS, **_HTTP, **_SETTINGS, **_DSNS, **_PERSONAL, **_SQL}, bare=_UNFRAMED
)
EXCEPTIONS: Final[dict[str, SearchStrategy[Canary]]] = _strategies(_EXCEPTIONS)
IP_AND_PHONE: Final[dict[str, SearchStrategy[Canary]]] = _strategies(
    _IP_AND_PHONE, bare=frozenset()
)
