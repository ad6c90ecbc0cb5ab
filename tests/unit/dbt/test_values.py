"""Times in all the forms that dbt writes."""

from __future__ import annotations

import pytest

from airflow_provider_pipeline_otel.dbt.values import read_time

BASE = 1_795_612_806 * 10**9
"""2026-11-25T13:20:06Z."""


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2026-11-25T13:20:06Z", 0),
        ("2026-11-25T13:20:06.697888Z", 697_888_000),
        ("2026-11-25T13:20:06.697888", 697_888_000),
        ("2026-11-25T13:20:06.697888+00:00", 697_888_000),
        ("2026-11-25T14:20:06.697888+01:00", 697_888_000),
        ("2026-11-25 13:20:06.697888", 697_888_000),
        ("2026-11-25T13:20:06.697888735Z", 697_888_735),
        ("2026-11-25T13:20:06.6978887Z", 697_888_700),
    ],
)
def test_times(text: str, nanoseconds: int) -> None:
    """With Z, without, with an offset, with nine digits; without a zone it is UTC."""
    assert read_time(text) == BASE + nanoseconds


@pytest.mark.parametrize(
    "value", [None, "", "{}", "soon", 7, "1969-12-31T00:00:00Z", "9999-01-01T00:00:00Z", [], "2026"]
)
def test_no_times(value: object) -> None:
    """What is no time, or none that OTLP can tell, is none."""
    assert read_time(value) is None
