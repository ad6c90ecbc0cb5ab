"""Values of records: literals and parameters of SQL, and what drivers and parsers quote in errors.

Names stay (tables, columns, constraints, types), for they say where to look; what they held goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from airflow_provider_pipeline_otel.export.redaction.brackets import closing_bracket
from airflow_provider_pipeline_otel.export.redaction.patterns import later
from airflow_provider_pipeline_otel.export.redaction.places import put_mark
from airflow_provider_pipeline_otel.export.redaction.quotes import Quoted, find_quoted

MARK: Final = "[value]"

_LINE_END: Final = r"(?:\n|\\n|$)"


_sql = later(
    r"\bselect\b[^;]{0,2000}?(?:\bfrom\b|['$])|\b(?:insert|replace|merge|copy)\s{1,9}into\b"
    r"|\bupdate\s{1,9}\S{1,200}\s{1,9}set\b|\bdelete\s{1,9}from\b|\bvalues\s{0,9}\("
    r"|\bwhere\s{1,9}[\w.\"`\[(][^'\n]{0,200}(?:[=<>]|\b(?:in|i?like|between)\b)"
    r"|\b(?:create|alter)\s{1,9}(?:or\s{1,9}replace\s{1,9})?(?:user|role|login|secret|stage"
    r"|connection|storage|database|server|external|credential)\b|\bidentified\s{1,9}by\b"
    r"|\bcall\s{1,9}[\w.]{1,100}\s?\(|\bexec(?:ute)?\s{1,9}[\w.]{1,100}\s{1,9}@"
    r"|\bset\s{1,9}[\w.]{1,60}\s{0,3}=\s{0,3}'",
    re.IGNORECASE,
)


_literal = later(
    r"(?P<tag>\$(?:[A-Za-z_]\w{0,20})?\$)(?:(?!(?P=tag)).){0,16384}(?P=tag)?"
    r"|\bq'(?:\[[^\]]{0,8192}\]|\{[^}]{0,8192}\}|\([^)]{0,8192}\)|<[^>]{0,8192}>)'"
    r"|(?<![A-Za-z0-9\\])e'(?:''|\\{1,9}[^\\]|[^'\\]){0,16384}'?"
    r"|(?:(?<![A-Za-z0-9\\])|(?<=\bn)|(?<=\bb)|(?<=utf8)|(?<=utf8mb4))(?P<quote>\\{0,7}')"
    r"(?:''|\\'|(?!(?P=quote)).){0,16384}(?P=quote)?",
    re.DOTALL | re.IGNORECASE,
)
"""Match literals of SQL, also in a text that is quoted itself, and one that is cut off."""


def mask_sql(text: str) -> str:
    """Return the text without literals, where it holds SQL; what is in double quotes is a name."""
    return _literal().sub(f"'{MARK}'", text) if _sql().search(text.replace("\\n", " ")) else text


_before_brackets = later(
    r"(?:\[parameters:|\[(?:cached since|generated in)[^\]\n]{0,40}\]|\bparameters:?"
    r"|\bparams:|\bRow Values:|\bdup key:|\bcontains(?: \([^()]{1,300}\) =)?|key value is"
    r"|keyValue[\"']?:|\bbad row:?|column values|are not unique:"
    r"|unexpected_\w{0,20}[\"']?\s?[:=]"
    r"|\bKey \([^()]{1,300}(?:\([^()]{0,200}\)[^()]{0,100})?\)=|key \([^()]{1,300}\)="
    r"|\u00bb\([^()]{1,300}(?:\([^()]{0,200}\)[^()]{0,100})?\)=|unexpected_list[\"']?:"
    r"|\bCommand # \d{1,9})\s{0,20}(?=[\[({])"
)


_before_lines = later(
    r"(?:\bOriginal Line|\bCSV parse error|\bJSON data, line \d{1,9}|\bError parsing JSON"
    r"|\bCOPY \S{1,200}, line \d{1,9}(?:, column \S{1,200}?)?|\bError on line \d{1,9}"
    r"|\bparsed text|JSON payload received[^\n]{0,60}|\bdecode (?:JSON|body)|\(String\)"
    r"|\bdelimiter: line \d{1,9} column \d{1,9}|\bin conn\b[^\n]{0,99})"
    rf"(?::|\s|\\n){{1,9}}(?P<rest>.{{0,8192}}?)(?={_LINE_END})"
    r"|\binput_value=(?P<input>.{0,8192}?)(?=, input_type=|\]|$)"
    r"|(?<=\$)\d{1,3} = (?P<bound>'(?:''|[^'])*'?|[^,\s]{1,8192})",
    re.MULTILINE | re.DOTALL,
)


_errors = later(
    r"invalid (?:input|literal|value)|duplicate (?:entry|key)|violat|not in list"
    r"|could not (?:convert|parse|cast)|is not recogni[sz]ed|existiert bereits|Eingabesyntax"
    r"|\bDETAIL: |\bCONTEXT: |input_value="
    r"|Failed to deserialize record",
    re.IGNORECASE,
)
"""Match the words of drivers and parsers that go with values, in any text."""


_naming = later(
    r"(?:relation|columns?|table|view|constraint|index|schema|database|function|field|d?type"
    r"|key|named|attribute|module|operator|object|model|sequence|argument|codec|encoding|file"
    r"|name|option|for|in|role|extension|test|source|dag|task|topic|class|method|variable"
    r"|keyword|directory:|format|of type|cast to|to|as|restore|command|host=)\s{0,3}[\[(]?\Z",
    re.IGNORECASE,
)
"""Match the words before a name in quotes."""


_identifier = later(r"[A-Za-z_#@][\w.$#]{0,63}", re.ASCII)


_plain = later(
    r"(?:/|\./|[a-z0-9+]{2,10}://)[\w./{}=%:+-]{1,255}|<[\w ._-]{1,64}>"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|[%\w\s:.,/\\-]{0,64}%[A-Za-z][%\w\s:.,/\\-]{0,64}"
    r"|str|int|float|bool|bytes|list|dict|tuple|set|object|NoneType|None|null|date|datetime"
    r"|Decimal|[iuf](?:8|16|32|64|128)|int64|float64|integer|string|number|long|utf-8|ascii"
    r"|latin-1|datestyle|true|false|[,{}()\[\]:;]",
    re.ASCII,
)
"""Match paths, code names, ids, formats of times, types: what no record holds."""


_german = later(r"\u00bb[^\u00ab]{0,8192}\u00ab?")


_to_line_end = later(
    rf"(?<=: )(\\{{0,7}}\")(?:(?!{_LINE_END}).){{0,4096}}(\1\.?)(?={_LINE_END}|\"$)",
    re.MULTILINE,
)
"""Match a value between quotes that are not escaped in it, as PostgreSQL writes it."""


def mask_errors(text: str) -> str:
    """Return the text without values, where it is a driver's or a parser's word."""
    found = (
        _errors().search(text) or _before_brackets().search(text) or _before_lines().search(text)
    )
    return mask_quoted(text) if found else text


def mask_quoted(text: str) -> str:
    """Return the text of an error without what is quoted in it, but for names."""
    text = _mask_brackets(text)
    text = _before_lines().sub(_mask_rest, text)
    text = _to_line_end().sub(rf"\1{MARK}\2", text)
    text = _german().sub(f"\u00bb{MARK}\u00ab", text)
    # By turns: what is in one kind of quotes may hold the other.
    return _mask_between('"', _mask_between("'`", text))


def _mask_between(signs: str, text: str) -> str:
    places = (
        (found.start, found.end) for found in find_quoted(text, signs) if not _is_name(text, found)
    )
    return put_mark(text, places, MARK)


def _mask_brackets(text: str) -> str:
    return put_mark(text, _insides(text), MARK)


def _insides(text: str) -> Iterator[tuple[int, int]]:
    done = 0
    for found in _before_brackets().finditer(text):
        if found.start() >= done:
            done = closing_bracket(text, found.end())
            yield found.end() + 1, done


def _mask_rest(found: re.Match[str]) -> str:
    for group in ("rest", "input", "bound"):
        if found[group] is not None:
            start, end = found.start(group) - found.start(), found.end(group) - found.start()
            return found.group()[:start] + MARK + found.group()[end:]
    return found.group()


def _is_name(text: str, found: Quoted) -> bool:
    """Say whether what is quoted tells where something is, and not what it holds."""
    value = text[found.start : found.end]
    if not value or value == MARK or _plain().fullmatch(value):
        return True
    if not _identifier().fullmatch(value):
        return False
    opening = found.start - len(found.quote)
    before, after = text[max(opening - 24, 0) : opening], text[found.end + len(found.quote) :][:5]
    is_part = before.endswith(".") or after.startswith(('."', ".`"))
    is_code = after.startswith((" obje", " has ")) or before.endswith("from ")
    is_key = after.lstrip().startswith(":") and value.islower()
    return is_part or is_key or is_code or _naming().search(before) is not None
