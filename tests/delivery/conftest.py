"""A spool with room enough, and a collector that works until it is told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_pipeline_otel import guard
from airflow_provider_pipeline_otel.config import Caps
from airflow_provider_pipeline_otel.export.spool import Spool
from tests.delivery.collector import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that works."""
    with Collector() as collector:
        yield collector


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """A spool with room enough."""
    folder = tmp_path / "spool"
    folder.mkdir(mode=0o700)
    return Spool(folder, Caps(bytes=10**9, age=10**6, files=10**6, kept=10**9))


@pytest.fixture(autouse=True)
def _nothing_said_yet() -> None:
    """Let each test hear the one warning of its process."""
    guard._warned.clear()
