"""Metric names of the package's own telemetry, with their UCUM units: gauges of a host's spool.

docs/operations.md is the same list as a table.
"""

from __future__ import annotations

from typing import Final

SPANS_WAITING: Final = "pipeline_otel.spool.spans"
"""Spans that wait for their delivery: `{span}`."""

BYTES_WAITING: Final = "pipeline_otel.spool.size"
"""Bytes that wait for their delivery: `By`."""

OLDEST_TIMESTAMP: Final = "pipeline_otel.spool.oldest.timestamp"
"""When the oldest of them was written, in seconds since 1970; absent where none waits: `s`."""

SPANS_DELIVERED: Final = "pipeline_otel.spans.delivered"
"""Spans that a collector has accepted, since the spool was made: `{span}`."""

SPANS_REFUSED: Final = "pipeline_otel.spans.refused"
"""Spans that a collector will never take, by `reason`: `{span}`."""

SPANS_DROPPED: Final = "pipeline_otel.spans.dropped"
"""Spans that were given up on the host, by `reason`: `{span}`."""

SPANS_SAMPLED_OUT: Final = "pipeline_otel.spans.sampled_out"
"""Details that `sample_ratio` left out: `{span}`."""

POSSIBLE_DUPLICATES: Final = "pipeline_otel.spans.possible_duplicates"
"""Spans that were sent again since an answer was lost, or written again: `{span}`."""

VALUES_REDACTED: Final = "pipeline_otel.values.redacted"
"""Values that were taken out of spans, by `reason`: `{value}`."""

REASON: Final = "reason"
"""Why; of redacted values their kind: `email`, `secret` …"""
