"""The meter of setup_otel, from a process without Airflow to a collector."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from tests.airflow.sink import Mode, Sink

ROOT: Final = Path(__file__).parents[2]
COUNT: Final = """
from airflow_provider_pipeline_otel import flush_otel, setup_otel
_, meter = setup_otel("order-consumer")
orders, sizes = meter.create_counter("orders"), meter.create_histogram("sizes")
orders.add(3)
orders.add(4)
sizes.record(5)
sizes.record(7)
"""
FLUSH: Final = "print(flush_otel())"
SPAN: Final = """
from airflow_provider_pipeline_otel import pipeline_stage
with pipeline_stage("stage"):
    pass
"""
LONGER_THAN_A_FLUSH: Final = 30.0
"""Seconds for a process; an exporter that repeats itself against a collector that hangs needs more
once OTEL_EXPORTER_OTLP_TIMEOUT is as long as HANGING says."""
HANGING: Final = {"OTEL_EXPORTER_OTLP_TIMEOUT": "120"}


def run(code: str, home: Path, endpoint: str, **variables: str) -> tuple[str, list[str]]:
    """Run the code to its end; return what it prints, and the lines of what it complains of."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            "PATH": os.defpath,
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            **variables,
        },
        cwd=home,
        capture_output=True,
        text=True,
        timeout=LONGER_THAN_A_FLUSH,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.splitlines()


def last_values(sink: Sink) -> tuple[set[str], dict[str, Any]]:
    """Return the services that sent metrics, and what the last request says of each metric."""
    services: set[str] = set()
    values: dict[str, Any] = {}
    for body in sink.metrics:
        (resource_metrics,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
        said = {pair.key: pair.value for pair in resource_metrics.resource.attributes}
        services.add(said["service.name"].string_value)
        for scope in resource_metrics.scope_metrics:
            for metric in scope.metrics:
                values[metric.name] = metric
    return services, values


@pytest.mark.parametrize("end", [FLUSH, "", SPAN + FLUSH], ids=["flush", "exit", "with_spans"])
def test_a_collector_has_the_counts(tmp_path: Path, end: str) -> None:
    """By a flush or by the end of the process, under the service's name, beside spans or alone."""
    with Sink() as sink:
        out, complaints = run(COUNT + end, tmp_path, sink.endpoint)
    services, values = last_values(sink)
    assert services == {"order-consumer"}
    assert set(values) == {"orders", "sizes"}
    (orders,) = values["orders"].sum.data_points
    (sizes,) = values["sizes"].histogram.data_points
    assert (orders.as_int, sizes.count, sizes.sum) == (7, 2, 12)
    assert out.split() == (["True"] if FLUSH in end else [])
    assert complaints == []


def test_a_flush_delivers_at_once(tmp_path: Path) -> None:
    """Metrics are with the collector when it returns, also where the process then dies."""
    with Sink() as sink:
        run(f"{COUNT}{FLUSH}\nimport os; os._exit(0)", tmp_path, sink.endpoint)
        assert set(last_values(sink)[1]) == {"orders", "sizes"}


@pytest.mark.parametrize("mode", ["refuse", "hang", "503"])
@pytest.mark.parametrize("end", [FLUSH, SPAN + FLUSH], ids=["alone", "with_spans"])
def test_a_dead_collector_is_one_warning_at_most(tmp_path: Path, mode: Mode, end: str) -> None:
    """The flush says False, and the process ends as if there were no collector."""
    with Sink(mode) as sink:
        out, complaints = run(COUNT + end, tmp_path, sink.endpoint, **HANGING)
    assert out.split() == ["False"]
    assert len(complaints) <= 1, complaints


def test_nobody_listening_is_one_warning(tmp_path: Path) -> None:
    """It names what went wrong and where, and no line of it is a traceback."""
    with Sink() as sink:
        endpoint = sink.endpoint
    out, complaints = run(COUNT + FLUSH, tmp_path, endpoint)
    assert out.split() == ["False"]
    (line,) = complaints
    assert "ConnectionRefusedError" in line
    assert endpoint.removeprefix("http://") in line


def test_the_metrics_own_variables_count(tmp_path: Path) -> None:
    """OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is taken as it is."""
    with Sink() as sink, Sink() as other:
        own = {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{other.endpoint}/own/v1/metrics"}
        run(COUNT + SPAN, tmp_path, sink.endpoint, **own)
    assert (len(sink.spans()), sink.metrics) == (1, [])
    assert set(last_values(other)[1]) == {"orders", "sizes"}


def test_somebody_s_own_meter_provider_is_left_alone(tmp_path: Path) -> None:
    """It is used, and nothing is sent beside it."""
    code = f"""
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
own = MeterProvider()
metrics.set_meter_provider(own)
{COUNT}
assert metrics.get_meter_provider() is own
assert flush_otel()
"""
    with Sink() as sink:
        _, complaints = run(code, tmp_path, sink.endpoint)
    assert (sink.metrics, complaints) == ([], [])


def test_no_secret_leaves_with_a_metric(tmp_path: Path) -> None:
    """Neither as an attribute of a point nor of the resource."""
    code = """
from airflow_provider_pipeline_otel import flush_otel, setup_otel
_, meter = setup_otel("jobs", resource_attributes={"owner": "jane@example.com"})
said = {"customer": "jane@example.com", "password": "summer", "shop": "Berlin"}
meter.create_counter("orders").add(3, said)
meter.create_histogram("sizes").record(5, said)
meter.create_gauge("level").set(5, said)
"""
    with Sink() as sink:
        run(code + FLUSH, tmp_path, sink.endpoint)
    assert sink.metrics
    for body in sink.metrics:
        assert b"jane" not in body
        assert b"summer" not in body
        assert body.count(b"Berlin") == 3
