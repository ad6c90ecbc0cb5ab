"""Personal data that is known by its form: addresses of e-mail and IP, cards, accounts, phones."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from airflow_provider_pipeline_otel.export.redaction.patterns import later

EMAIL: Final = "[email]"
CARD: Final = "[card]"
IBAN: Final = "[iban]"
IP: Final = "[ip]"
PHONE: Final = "[phone]"

_SHORTEST_IBAN: Final = 15
_SHORTEST_CARD: Final = 14
_PHONE_DIGITS: Final = range(8, 16)


# Not behind "://": there it is a storage container or a user (`mask_urls`).
_email = later(
    r"(?<![\w.+-])(?<!://)(?:[\w.+-]|%2[BbDdEe]){1,64}(?:@|%40|%2540|\\u0040)"
    r"(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}"
)


_card = later(r"(?:(?<![\w.])|(?<=\\[nrt]))(?<!\d[-/])[2-6](?:[ -]?\d){12,18}(?![\w.]?\d)(?!\w)")


_iban = later(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}")


_ip = later(
    r"(?<![\w.])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)"
    r"|(?<!:)(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|\d{1,3}(?:\.\d{1,3}){3}|(?=[\]/%\s,;\"']|$)))"
    r"(?:%\w{1,16})?"
)


@cache
def _phone() -> re.Pattern[str]:
    digits = r"(?:\d[ ./()-]{0,2}){5,13}\d(?!\w)"
    code = r"(?:(?:\+|00)\d{1,3}[ ./()-]{0,3}|\(0?\d{1,5}\)[ ./-]{0,2})"
    return re.compile(
        r"(?P<label>(?i:\b(?:tel|telephone|telefon|phone|mobile|cell|fax|handy)"
        r"(?:[_-]?(?:number|nr|no))?)[.\"'\\]{0,6}\s?[:=]?\s{0,2}\\{0,3}[\"']?)"
        rf"(?P<labelled>{code}?{digits})|(?<![\w.+:-])(?P<coded>{code}{digits})"
    )


def mask_emails(text: str) -> str:
    """Return the text without e-mail addresses."""
    return _email().sub(EMAIL, text)


def mask_numbers(text: str) -> str:
    """Return the text without numbers of payment cards and bank accounts: their check sums tell."""
    text = _iban().sub(_mask_iban, text)
    return _card().sub(_mask_card, text)


def is_card(digits: str) -> bool:
    """Say whether the digits may be a payment card's: first digit, length, check sum (Luhn)."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        digit = int(sign)
        total += digit if place % 2 == 0 else sum(divmod(digit * 2, 10))
    return total % 10 == 0


def _mask_card(found: re.Match[str]) -> str:
    text = found.group()
    digits = text.replace(" ", "").replace("-", "")
    if is_card(digits):
        return CARD
    # Grouped numbers may stand beside another one: try what ends at each gap.
    for gap in reversed([at for at, sign in enumerate(text) if not sign.isdigit()]):
        head = re.sub(r"\D", "", text[:gap])
        if len(head) >= _SHORTEST_CARD and is_card(head):
            return CARD + text[gap:]
    return text


def _mask_iban(found: re.Match[str]) -> str:
    text = found.group()
    for end in range(len(text), _SHORTEST_IBAN - 1, -1):
        head = re.sub(r"[ -]", "", text[:end])
        if len(head) < _SHORTEST_IBAN:
            break
        is_end = end == len(text) or not text[end].isalnum() or text[end - 1] in " -"
        if is_end and _is_iban(head):
            return IBAN + text[end:]
    return text


def _is_iban(text: str) -> bool:
    """Check the sum of ISO 7064 (mod 97-10)."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(sign, 36)) for sign in moved)) % 97 == 1


def mask_ips(text: str) -> str:
    """Return the text without IP addresses of machines; versions of four parts look the same."""
    return _ip().sub(_mask_ip, text)


def _mask_ip(found: re.Match[str]) -> str:
    from ipaddress import ip_address

    try:
        address = ip_address(found.group().partition("%")[0])
    except ValueError:
        return found.group()
    return found.group() if address.is_loopback or address.is_unspecified else IP


def mask_phones(text: str) -> str:
    """Return the text without phone numbers that are written as such."""
    return _phone().sub(_mask_phone, text)


def _mask_phone(found: re.Match[str]) -> str:
    label, number = found["label"] or "", found["labelled"] or found["coded"]
    return f"{label}{PHONE}" if sum(map(str.isdigit, number)) in _PHONE_DIGITS else found.group()
