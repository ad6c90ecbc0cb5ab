"""Secrets that look like nothing else, wherever they stand in a text: tokens, keys, credentials.

All repetitions are bounded: no text makes a pattern slow.
"""

from __future__ import annotations

import re
from base64 import b64decode
from functools import cache
from typing import Final

from airflow_provider_pipeline_otel.export.redaction.pairs import MARK
from airflow_provider_pipeline_otel.export.redaction.patterns import later

_TOKENS: Final = (
    r"A(?:KIA|SIA|ROA|IDA|GPA|NPA|IPA|BIA|CCA)[A-Z0-9]{12,32}",
    r"gh[pousr]_[A-Za-z0-9]{16,255}",
    r"github_pat_\w{16,255}",
    r"gl(?:pat|rt|ptt|dt|cbt|ft|soat|oas|imt|agent|ffct)-[\w.-]{16,255}",
    r"GR1348941[\w-]{16,64}",
    r"xox[a-z]-[\w.-]{10,255}",
    r"xapp-[\w-]{10,255}",
    r"xoxe\.[\w-]{10,255}",
    r"(?:sk|pk|rk)_(?:live|test)_\w{10,255}",
    r"whsec_[\w+/=]{16,255}",
    r"npm_[A-Za-z0-9]{30,64}",
    r"pypi-[\w-]{16,512}",
    r"dckr_(?:pat|oat)_[\w-]{16,128}",
    r"d(?:api|ose|kea|csp)[0-9a-f]{32}(?:-\d)?",
    r"dbt[a-z]_[\w-]{20,255}",
    r"AIza[\w-]{30,64}",
    r"ya29\.[\w-]{20,1024}",
    r"1//0[\w-]{20,255}",
    r"GOCSPX-[\w-]{20,64}",
    r"GOOG1?[A-Z0-9]{20,80}",
    r"SG\.[\w-]{16,64}\.[\w-]{16,128}",
    r"key-[0-9a-f]{32}",
    r"[0-9a-f]{32}-us\d{1,2}",
    r"sk-[\w-]{20,255}",
    r"hf_[A-Za-z0-9]{20,64}",
    r"r8_[A-Za-z0-9]{30,64}",
    r"gsk_[A-Za-z0-9]{20,128}",
    r"hv[sbr]\.[\w-]{20,512}",
    r"s\.[A-Za-z0-9]{24}",
    r"atlasv1\.[\w-]{40,128}",
    r"[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,128}",
    r"NR(?:AK|JS|II|RA)-?[\w-]{16,64}",
    r"dop_v1_[0-9a-f]{64}",
    r"doo_v1_[0-9a-f]{64}",
    r"pul-[0-9a-f]{40}",
    r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
    r"sq0[a-z]{3}-[\w-]{22,64}",
    r"EAAA[\w-]{40,128}",
    r"lin_(?:api|oauth)_\w{20,128}",
    r"ntn_\w{20,128}",
    r"secret_[A-Za-z0-9]{40,64}",
    r"PMAK-[0-9a-f-]{40,80}",
    r"glsa_\w{20,128}",
    r"glc_[\w+/=]{20,512}",
    r"sntry[su]_[\w+/=.-]{20,512}",
    r"phc_\w{20,64}",
    r"rnd_\w{20,64}",
    r"ATATT3[\w=-]{20,512}",
    r"ATCTT3[\w=-]{20,512}",
    r"FLWSECK[\w-]{20,128}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{20,80}",
    r"ver:\d-hint:\d{1,20}-[\w+/=-]{20,1024}",
    r"ETMs[\w+/=-]{20,1024}",
    r"eyJ[\w-]{8,4096}(?:\.[\w-]{0,4096}){0,4}",
    r"[\w~.]{3}\dQ~[\w~.-]{28,40}",
    r"gAAAAA[\w-]{20,4096}={0,2}",
    r"IQoJb3JpZ2luX2Vj[\w+/=%]{20,4096}",
    r"FwoGZXIvYXdz[\w+/=%]{20,4096}",
)
_OPEN: Final = r"\\{0,7}[\"']?"
_BEHIND: Final = (
    # What tells the secret, and the secret.
    (r"\bhooks\.slack\.com/(?:services|workflows|triggers)/", r"[\w/]{8,512}"),
    (r"\bdiscord(?:app)?\.com/api/webhooks/\d{5,25}/", r"[\w-]{8,512}"),
    (r"\.webhook\.office\.com/", r"[\w/@.-]{8,512}"),
    (r"\bhooks\.zapier\.com/hooks/catch/", r"[\w/]{8,512}"),
    (r"\bbot(?=\d{6,12}:)", r"[\d:\w-]{8,512}"),
    (
        r"(?:docker|podman|twine|helm|skopeo)\b[^\n]{0,200}?\s-p[= ]?",
        r"(?!\d{1,9}\b)[^\s\"']{1,255}",
    ),
    (
        rf"(?:curl|wget|http)\b[^\n]{{0,200}}?\s(?:-u|--user)[= ]?{_OPEN}[^\s:\"'\\]{{1,255}}:",
        r"[^\s\"']{1,255}",
    ),
    (rf"\bcurl\b[^\n]{{0,200}}?\s(?:-b|--cookie)[= ]?{_OPEN}", r"[^\s\"']{1,4096}"),
    (
        r"(?<![\w-])--?[\w-]{0,40}(?:password|passwd|token|secret|api-key|apikey)\s(?![-=])",
        r"[^\s\"']{1,4096}",
    ),
    (r"\boracle:\w{1,9}:[^\s/@]{1,255}/", r"[^\s@]{1,255}(?=@)"),
    (r"<Cookie [\w.-]{1,128}=", r"[^\s>]{1,4096}"),
    (r"\blogin\s{1,9}\S{1,255}\s{1,9}password\s{1,9}", r"\S{1,255}"),
    (
        r"\b[Dd]igest\s{1,3}",
        r"(?:\w{1,32}=(?:\\{0,7}\"[^\"]{0,1024}\"|[^,\s\"]{1,255})(?:,\s{0,3})?){2,16}",
    ),
    (r"Private-Lines:\s{0,3}\d{1,4}", r"(?:(?:\s|\\[rn]){1,4}[\w+/=]{16,80}){1,200}"),
)


_private_key = later(
    r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?!-----END).){0,16384}(?:-----END[^-]{0,60}-----)?",
    re.DOTALL,
)


_tokens = later(rf"(?<![A-Za-z0-9])(?:{'|'.join(_TOKENS)})")


@cache
def _behind() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(f"({before})(?:{secret})") for before, secret in _BEHIND)


_scheme = later(
    r"\b(bearer|basic|negotiate|ntlm|token|apikey|sharedkey(?:lite)?)"
    r"\s{1,3}([A-Za-z0-9+/=._~:-]{8,4096})",
    re.IGNORECASE,
)


_url = later(r"([A-Za-z][\w+.-]{0,40}:/{2,3})([^\s\"'<>\\`|]{1,2048})")


_kubernetes = later(
    r"([\"']?[\w.-]{1,128}[\"']?[ \t]{0,3}:[ \t]{0,3}[\"']?)"
    r"([A-Za-z0-9+/]{8,16384}={0,2})(?![\w.-])"
)


def mask_tokens(text: str) -> str:
    """Return the text without tokens, private keys and what tools are given for passwords."""
    text = _tokens().sub(MARK, _private_key().sub(MARK, text))
    for pattern in _behind():
        text = pattern.sub(rf"\1{MARK}", text)
    text = _scheme().sub(_mask_credentials, text)
    if "Secret" in text and ("kind" in text or "data" in text):
        text = _kubernetes().sub(_mask_base64, text)
    return text


def _mask_credentials(found: re.Match[str]) -> str:
    scheme, value = found.groups()
    if scheme.lower() == "basic":
        is_secret = _is_user_and_password(value)
    else:
        is_long = len(value) >= _LONG or scheme.lower() == "bearer"
        is_secret = is_long and not (value.islower() and value.isalpha())
    return f"{scheme} {MARK}" if is_secret else found.group()


def _is_user_and_password(value: str) -> bool:
    try:
        return b":" in b64decode(value + "=" * (-len(value) % 4), validate=True)
    except ValueError:
        return False


def _mask_base64(found: re.Match[str]) -> str:
    try:
        b64decode(found[2], validate=True)
    except ValueError:
        return found.group()
    is_word = found[2].isalpha() and (found[2].islower() or found[2].istitle())
    return found.group() if is_word else found[1] + MARK


def mask_urls(text: str) -> str:
    """Return the text without the passwords in its URLs; users stay, but for long ones: tokens."""
    return _url().sub(_mask_userinfo, text)


_LONG: Final = 20


def _mask_userinfo(found: re.Match[str]) -> str:
    scheme, rest = found.groups()
    user, at, host = _split_userinfo(rest)
    if not at:
        return found.group()
    name, colon, _ = user.partition(":")
    if colon:
        name = name if len(name) < _LONG or _is_name(name) else MARK
        return f"{scheme}{name}:{MARK}@{mask_urls(host)}"
    if len(user) >= _LONG and not _is_name(user):
        return f"{scheme}{MARK}@{host}"
    return found.group()


_port = later(r"\d{1,5}(?=[/?#;]|$)")


_authority_end = later(r"[/?#]|;[A-Za-z]{1,40}=")


def _is_name(user: str) -> bool:
    return user.islower() and not any(sign.isdigit() for sign in user)


def _split_userinfo(rest: str) -> tuple[str, str, str]:
    """Split at the "@" behind user and password, which may hold "@", ":" and "/" as they are."""
    end = _authority_end().search(rest)
    authority = rest[: end.start()] if end else rest
    if "@" in authority:
        user, at, host = authority.rpartition("@")
        return user, at, host + rest[len(authority) :]
    _, colon, password = authority.partition(":")
    if colon and not _port().match(password + rest[len(authority) :]) and "@" in rest:
        return rest.rpartition("@")
    return "", "", rest
