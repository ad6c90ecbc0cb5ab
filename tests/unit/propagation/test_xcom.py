"""Contexts over XCom: what is no context is ignored, whatever it is."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from airflow_provider_pipeline_otel.propagation import xcom

CONTEXT = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
TRACEPARENT = f"00-{1:032x}-{2:016x}-01"


def test_a_context_comes_back() -> None:
    """As W3C headers, in a dict that any XCom backend can store."""
    carrier: dict[str, str] = {}
    xcom.inject(carrier, context=trace.set_span_in_context(NonRecordingSpan(CONTEXT)))
    assert carrier == {"traceparent": TRACEPARENT}
    found = trace.get_current_span(xcom.extract(carrier)).get_span_context()
    assert (found.trace_id, found.span_id, found.is_remote) == (1, 2, True)


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        "text",
        42,
        [],
        {},
        {"traceparent": "rubbish"},
        {"traceparent": 7},
        {7: TRACEPARENT},
        {"traceparent": f"00-{0:032x}-{2:016x}-01"},
        {"traceparent": TRACEPARENT, "tracestate": "x" * 10_000},
    ],
)
def test_what_is_no_context_is_ignored_with_one_warning(
    hostile: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A user's own value under our key, another version's, or somebody's attempt."""
    assert xcom.links([hostile, {"traceparent": TRACEPARENT}])[0].context.span_id == 2
    assert len(xcom.links([hostile])) == 0
    assert caplog.text.count("otel_trace_context") == 1


def test_links_say_what_they_are() -> None:
    """By Airflow's word."""
    (link,) = xcom.links([{"traceparent": TRACEPARENT}])
    assert dict(link.attributes or {}) == {"airflow.link.type": "upstream"}
