"""No Airflow, no sockets, no state that one test leaves to the next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pytest_socket import disable_socket, enable_socket

from airflow_provider_pipeline_otel import guard
from airflow_provider_pipeline_otel.config import Caps
from airflow_provider_pipeline_otel.export.spool import Spool
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.sdk.processor import SpoolProcessor
from airflow_provider_pipeline_otel.stages import set_surroundings
from tests.unit.spans import SpoolReader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_sockets() -> Iterator[None]:
    """Unit tests open no sockets, but for the pair inside asyncio's loop."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def no_airflow() -> None:
    """Unit tests run where Airflow isn't installed."""
    assert "airflow" not in sys.modules


@pytest.fixture(autouse=True)
def nothing_warned_yet() -> None:
    """A process warns once; each test is one."""
    guard._warned.clear()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool of this test's own, with room enough."""
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o700)
    return Spool(folder, Caps(bytes=10**9, age=10**6, files=10**6))


@pytest.fixture
def spans(spool: Spool) -> Iterator[SpoolReader]:
    """What stages leave in the spool, read back from its bytes."""
    writer = SpanWriter(spool, {"service.name": "unit"})
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SpoolProcessor(writer, None))
    set_surroundings(provider, {"pipeline.name": "dag", "airflow.task_id": "task"})
    yield SpoolReader(spool, writer, provider)
    set_surroundings(None, {})
    assert not trace.get_current_span().get_span_context().is_valid
