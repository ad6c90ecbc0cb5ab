"""dbt's messages: what of them can hold no data, and the class of an error.

An allow list: error texts hold SQL, row values and whole diffs of unit tests, in forms that change
with every adapter.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from airflow_provider_pipeline_otel.dbt.rows import INTERRUPTED

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.dbt.rows import NodeRow

_VERBS: Final = (
    "ALTER|CALL|COPY|CREATE|CREATE TABLE|CREATE TABLE AS|CREATE VIEW|DELETE|INSERT|MERGE|OK|SCRIPT"
    "|SELECT|SUCCESS|TRUNCATE|UPDATE"
)
_HARMLESS: Final = re.compile(
    r"Got \d{1,18} results?, configured to (?:fail|warn) if [!<>=]{1,2} ?\d{1,18}"
    r"|(?:PARTIAL SUCCESS|SUCCESS|ERROR) \(\d{1,9}/\d{1,9}\)"
    rf"|(?:{_VERBS})(?: \d{{1,18}}){{0,2}}"
    rf"|(?:{_VERBS}) \(\d[\d.,]{{0,12}}[kmbt]? rows(?:, [\d.,]{{1,12}} [KMGT]?i?B processed)?\)"
    r"|Skipping due to fail_fast"
)
_ERROR: Final = re.compile(
    r"\s*(Compilation|Database|Dependency|Parsing|Runtime|Validation) Error\b"
)
_FAILED: Final = {
    "fail": "test_failure",
    "runtime error": "runtime_error",
    "partial success": "partial_success",
    INTERRUPTED: INTERRUPTED,
}


def read_message(message: str | None) -> str | None:
    """Return the message if it is one of those that hold nothing but dbt's own words and counts."""
    if message and _HARMLESS.fullmatch(message):
        return message
    return None


def error_type_of(row: NodeRow) -> str:
    """Return the class of what went wrong, whatever the message looks like."""
    if row.status in _FAILED:
        return _FAILED[row.status]
    if row.kind == "source":
        return "stale_source"
    found = _ERROR.match(row.message or "")
    return f"{found[1].lower()}_error" if found else "dbt_error"
