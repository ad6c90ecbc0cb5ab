"""run_results.json and sources.json, whole or damaged → rows, one at a time."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import msgspec

from airflow_provider_pipeline_otel.dbt.results import DBT_2, decode_result, read_result
from airflow_provider_pipeline_otel.dbt.rows import Invocation, NodeRow
from airflow_provider_pipeline_otel.dbt.values import NO_JSON, read_seconds, read_text, read_time

log = logging.getLogger(__name__)

MAX_BYTES: Final = 1024**3
"""Larger files are not read: 50,000 nodes take 145 MB."""

_SPACE: Final = " \t\r\n"


class Unreadable(Exception):  # noqa: N818
    """The file can't be read as what it should be; the text says why."""


class _Envelope(msgspec.Struct):
    """The artifact, its results still as bytes: one row at a time keeps memory flat."""

    metadata: Any = None
    args: Any = None
    elapsed_time: Any = None
    results: list[msgspec.Raw] | None = None
    generated_at: Any = None  # before 0.19, as are those below
    meta: Any = None
    sources: Any = None


class _Node(msgspec.Struct, gc=False):
    unique_id: Any = None


class _Id(msgspec.Struct, gc=False):
    unique_id: Any = None
    node: _Node | None = None  # before 0.19


class Artifact:
    """An artifact that has been opened: what it says of the run, and its rows."""

    def __init__(self, path: Path) -> None:
        data = read_file(path)
        self.truncated = False
        try:
            envelope = msgspec.json.decode(data, type=_Envelope)
            self._raw, self._rows = envelope.results, None
        except NO_JSON:
            # NaN, lone surrogates and byte order marks are no JSON, yet Python writes them.
            whole = self._read_damaged(data)
            self._raw, self._rows = None, whole.pop("results", None)
            known = whole.keys() & _Envelope.__struct_fields__
            envelope = _Envelope(**{name: whole[name] for name in known})
        if self._raw is None and self._rows is None and isinstance(envelope.meta, Mapping):
            self._rows = list(_sources_before_0_19(envelope.sources))
        self.invocation = _read_invocation(envelope)
        if self._raw is None and not isinstance(self._rows, list):
            message = f"{path} holds no results of dbt"
            raise Unreadable(message)
        # Artifacts of other tools have no id: there is only their content to tell them by.
        self.id = self.invocation.invocation_id or f"{crc32(data):08x}-{len(data)}"

    def rows(self, adapter: str | None = None) -> Iterator[NodeRow]:
        """Yield the rows, in the order in which nodes ended."""
        if self.invocation.is_dbt_2:
            adapter = DBT_2
        if self._raw is not None:
            found = (decode_result(raw, adapter) for raw in self._raw)
        else:
            rows = self._rows if isinstance(self._rows, list) else ()
            found = (read_result(row, adapter) for row in rows)
        for row in found:
            if row is not None:
                yield row

    def ids(self) -> Iterator[str]:
        """Yield the ids of the nodes, without decoding the rest of their rows."""
        if self._raw is None:
            yield from (row.unique_id for row in self.rows())
            return
        decode = msgspec.json.Decoder(_Id, strict=False).decode
        for raw in self._raw:
            try:
                found = decode(raw)
            except NO_JSON:
                continue
            unique_id = found.unique_id if found.node is None else found.node.unique_id
            if isinstance(unique_id, str):
                yield unique_id

    def _read_damaged(self, data: bytes) -> dict[str, Any]:
        text = data.decode(json.detect_encoding(data), "replace")
        decoder = json.JSONDecoder(strict=False)
        try:
            whole, _ = decoder.raw_decode(text.lstrip(_SPACE))
        except (ValueError, RecursionError):
            self.truncated = True
            return _salvage(text, decoder)
        return whole if isinstance(whole, dict) else {}


def read_file(path: Path) -> bytes:
    """Return the bytes of a regular file; Unreadable: it is none, or larger than 1 GiB."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        message = f"{path} can't be read ({error.strerror})"
        raise Unreadable(message) from error
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_BYTES:
        os.close(fd)
        message = f"{path} is no regular file of at most 1 GiB"
        raise Unreadable(message)
    with os.fdopen(fd, "rb") as file:
        return file.read()


def _salvage(text: str, decoder: json.JSONDecoder) -> dict[str, Any]:
    """Return what stands before the place where the text breaks off."""
    found: dict[str, Any] = {}
    for key in ("metadata", "results", "args", "elapsed_time"):
        at = text.find(f'"{key}"')
        at = text.find(":", at) + 1 if at >= 0 else 0
        if at and key == "results":
            found[key] = list(_salvage_items(text, text.find("[", at) + 1, decoder))
        elif at:
            try:
                found[key], _ = decoder.raw_decode(text, _after_space(text, at))
            except (ValueError, RecursionError):
                continue
    return found


def _salvage_items(text: str, at: int, decoder: json.JSONDecoder) -> Iterator[Any]:
    while at:
        try:
            item, at = decoder.raw_decode(text, _after_space(text, at))
        except (ValueError, RecursionError):
            return
        yield item
        at = _after_space(text, at)
        if text[at : at + 1] != ",":
            return
        at += 1


def _after_space(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _sources_before_0_19(sources: Any) -> Iterator[Any]:  # noqa: ANN401
    for unique_id, source in _mapping(sources).items():
        said = _mapping(source)
        yield {**said, "unique_id": unique_id, "status": said.get("state")}


def _mapping(value: Any) -> Mapping[str, Any]:  # noqa: ANN401
    return value if isinstance(value, Mapping) else {}


def _read_invocation(file: _Envelope) -> Invocation:
    metadata = _mapping(file.metadata) or {"generated_at": file.generated_at, **_mapping(file.meta)}
    args = _mapping(file.args)
    args = {**_mapping(args.get("__other__")), **args}  # dbt 2 nests most of them
    elapsed = metadata.get("elapsed_time") if file.elapsed_time is None else file.elapsed_time
    schema = read_text(metadata.get("dbt_schema_version")) or ""
    command = read_text(args.get("which")) or read_text(args.get("command"))
    if command is None and ("/sources/" in schema or isinstance(file.meta, Mapping)):
        command = "freshness"  # sources.json has no args
    environment = metadata.get("env")
    return Invocation(
        invocation_id=read_text(metadata.get("invocation_id")),
        version=read_text(metadata.get("dbt_version")),
        schema_version=schema.rpartition("/")[2].partition(".")[0] or None,
        command=command,
        target=read_text(args.get("target")),
        start_ns=read_time(metadata.get("invocation_started_at")),
        end_ns=read_time(metadata.get("generated_at")),
        elapsed_time=read_seconds(elapsed) or None,
        has_native_spans=bool(args.get("snowflake_projects_otel") or args.get("export_to_otlp")),
        environment=dict(environment) if isinstance(environment, Mapping) else {},
    )
