"""emit_dbt_spans: the artifacts of a run of dbt that somebody else has made → spans."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_pipeline_otel.dbt.artifacts import Artifact, Unreadable
from airflow_provider_pipeline_otel.dbt.destination import Destination, Parent, find_parent
from airflow_provider_pipeline_otel.dbt.manifest import read_manifest
from airflow_provider_pipeline_otel.dbt.rows import (
    COMPILED_ONLY,
    DbtSummary,
    Invocation,
    Manifest,
    NodeRow,
)
from airflow_provider_pipeline_otel.dbt.spans import STATUS, Spans, Trace
from airflow_provider_pipeline_otel.dbt.summary import Tally
from airflow_provider_pipeline_otel.guard import warn_once
from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.semconv import dbt

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.record import Attributes, AttributeValue, SpanRecord

_NAMES: Final = ("run_results.json", "sources.json")
_WORDS: Final = {"freshness": "source freshness", "generate": "docs generate"}
"""What `which` says of commands of two words."""

_SCHEMAS: Final = frozenset({"v1", "v2", "v3", "v4", "v5", "v6"})
_LONGEST: Final = 366 * 86_400 * 10**9
"""No run of dbt takes a year."""


def emit_dbt_spans(path: str | Path = "target", *, context: object = None, **_: Any) -> DbtSummary:  # noqa: ANN401
    """Turn the artifacts of a run of dbt into spans: a project, its target folder, or a file.

    They become children of the current span (or that of `context`, an OpenTelemetry context), of
    TRACEPARENT in the environment, or, where there is neither, a trace of their own whose id is
    made of dbt's invocation id. Times stay dbt's. Emitting twice gives the same ids. Artifacts that
    can't be read cost one warning and give an empty summary; nothing is raised. May be passed to
    astronomer-cosmos as `callback` as it is.
    """
    return emit_artifacts(Path(path), context)


def emit_artifacts(
    path: Path, context: object = None, settings: Settings | None = None
) -> DbtSummary:
    """Do so with settings that aren't all in the environment; nothing is raised."""
    try:
        return _emit(path, context, settings)
    except Unreadable as fault:
        warn_once("dbt's run has no spans: %s. Give the project, target or run_results.json", fault)
    except Exception:  # noqa: BLE001  the guard of what others' callbacks call
        warn_once("dbt's run has no spans", exc_info=True)
    return DbtSummary()


def _emit(path: Path, context: object, settings: Settings | None) -> DbtSummary:
    file = find_artifact(path)
    manifest = read_manifest_beside(file)  # first, since both files at once would fill the memory
    parent = find_parent(context)
    run = _Run(Artifact(file), manifest, parent)
    _warn_of(run.artifact, file)
    destination = Destination(settings)
    destination.sample(parent)
    records = run.records(destination.attributes)
    if parent.sampled:
        destination.write(records)
    else:
        for _ in records:
            pass
    summary = run.tally.summary(
        run.artifact.invocation, run.trace.trace_id if parent.sampled else b"", run.written
    )
    destination.add_counts(summary.records_written, summary.bytes_processed)
    return summary


def artifact_records(artifact: Artifact, manifest: Manifest) -> Iterator[SpanRecord]:
    """Yield the spans of an artifact as a trace of its own."""
    return _Run(artifact, manifest, Parent(b"", b"", sampled=True)).records({})


def find_artifact(path: Path) -> Path:
    """Return the newest artifact of a file, target folder or project; Unreadable: none is there."""
    if path.is_file():
        return path
    found = [
        folder / name
        for folder in (path, path / "target")
        for name in _NAMES
        if (folder / name).is_file()
    ]
    if not found:
        message = f"{path} holds neither {_NAMES[0]} nor {_NAMES[1]}"
        raise Unreadable(message)
    return max(found, key=lambda file: file.stat().st_mtime)


def read_manifest_beside(file: Path) -> Manifest:
    """Return the manifest in the same folder; an empty one where there is none to read."""
    try:
        return read_manifest(file.with_name("manifest.json"))
    except Unreadable:
        return Manifest()


def _warn_of(artifact: Artifact, file: Path) -> None:
    schema = artifact.invocation.schema_version
    if artifact.truncated:
        warn_once("%s breaks off: only the nodes before the break have spans", file)
    elif schema not in _SCHEMAS:
        warn_once("%s has an unknown schema (%s): it is read by its keys", file, schema or "none")


def _length_of(invocation: Invocation) -> int:
    """Return how long dbt says that it took; what dbt 2 says is the sum of its nodes."""
    took = int((invocation.elapsed_time or 0) * 10**9)
    return 0 if invocation.is_dbt_2 or took > _LONGEST else took


class _Run:
    """One artifact on its way to records; counts as they pass."""

    def __init__(self, artifact: Artifact, manifest: Manifest, parent: Parent) -> None:
        self.artifact = artifact
        self._manifest = manifest
        self.trace = Trace(artifact.id, parent.trace_id, parent.span_id)
        self.tally = Tally(manifest)
        self.written = 0

    def records(self, common: Attributes) -> Iterator[SpanRecord]:
        """Yield the nodes, then the invocation, which counts them."""
        invocation = self.artifact.invocation
        spans = Spans(self.trace, self._manifest, common)
        window = self._window()
        if not self._ran():
            rows: Iterator[NodeRow] = iter(())
        else:
            rows = self.tally.watch(
                row
                for row in self.artifact.rows(self._manifest.adapter)
                if (row.kind, row.status) != ("test", "success")  # compiled, not run
            )
        # Without a manifest nothing is known that could be linked to.
        present = frozenset(self.artifact.ids() if self._manifest.nodes else ())
        first, last = window
        for record in spans.nodes(rows, window, present):
            first, last = min(first, record.start_ns), max(last, record.end_ns)
            self.written += 1
            yield record
        yield spans.invocation(
            _WORDS.get(invocation.command or "", invocation.command or ""),
            invocation,
            (first, last),
            self._more(),
            status=self._status(),
        )
        self.written += 1

    def _ran(self) -> bool:
        invocation = self.artifact.invocation
        return invocation.command not in COMPILED_ONLY and not invocation.has_native_spans

    def _status(self) -> StatusCode:
        if any(STATUS.get(word) is StatusCode.ERROR for word in self.tally.statuses):
            return StatusCode.ERROR
        # That what is left succeeded doesn't mean that the run did.
        return StatusCode.UNSET if self.artifact.truncated else StatusCode.OK

    def _more(self) -> dict[str, AttributeValue]:
        more = self.tally.counts()
        if self.artifact.truncated:
            more[dbt.DBT_ARTIFACT] = "truncated"
        return more

    def _window(self) -> tuple[int, int]:
        """Return start and end of the run: dbt's word, else what its nodes say."""
        invocation = self.artifact.invocation
        start, end = invocation.start_ns, invocation.end_ns
        if start is None or end is None:
            times = [row for row in self.artifact.rows() if row.start_ns is not None]
            starts = [row.start_ns for row in times if row.start_ns is not None]
            ends = [row.end_ns for row in times if row.end_ns is not None]
            end = max([*ends, *([end] if end else [])], default=None) or time.time_ns()
            if start is None:
                since = (invocation.end_ns or end) - _length_of(invocation)
                start = min([*starts, max(since, 1)])
        return start, max(start, end)
