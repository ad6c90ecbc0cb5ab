"""Writes spans, a segment for each; arguments: a name, how many, and how many bytes each."""

from __future__ import annotations

import sys

from airflow_provider_pipeline_otel import flush_otel, setup_otel

tracer, _ = setup_otel("writer")
for number in range(int(sys.argv[2])):
    tracer.start_span(
        f"{sys.argv[1]}-{number}", attributes={"ballast": "x" * int(sys.argv[3])}
    ).end()
    flush_otel()
