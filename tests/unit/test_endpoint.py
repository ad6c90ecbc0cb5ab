"""Where spans and metrics go, as the environment says it."""

from __future__ import annotations

import pytest

from airflow_provider_pipeline_otel.endpoint import endpoint_of


@pytest.mark.parametrize(
    "url",
    [
        "collector:4318",
        "grpc://collector:4317",
        "http://collector:port",
        "http://collector:70000",
        "http://[::1",
        "http://",
        "/v1/traces",
    ],
)
def test_what_is_no_address_is_said(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Spans stay in the spool; nothing fails later for it."""
    assert endpoint_of("traces", {"OTEL_EXPORTER_OTLP_ENDPOINT": url}) is None
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in caplog.text
    assert "http://localhost:4318" in caplog.text


def test_a_secret_in_what_is_no_address_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    """Neither a password nor a query's token."""
    url = "htp://jane:geheim@collector:4318?token=geheim"
    assert endpoint_of("traces", {"OTEL_EXPORTER_OTLP_ENDPOINT": url}) is None
    assert "geheim" not in caplog.text
    assert "collector:4318" in caplog.text


@pytest.mark.parametrize("text", ["soon", "-1", "0", "nan", "inf"])
def test_a_timeout_that_is_none_is_said(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """And ten seconds are taken."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318",
        "OTEL_EXPORTER_OTLP_TIMEOUT": text,
    }
    endpoint = endpoint_of("traces", environ)
    assert endpoint is not None
    assert endpoint.timeout == 10.0
    assert "OTEL_EXPORTER_OTLP_TIMEOUT" in caplog.text


def test_a_signals_own_variables_go_before_those_for_all() -> None:
    """Each by itself; an address for all gets the signal's path."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://all:4318/otlp/",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://traces:443/in",
        "OTEL_EXPORTER_OTLP_HEADERS": "a=all",
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "a=own",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    }
    traces, metrics = (endpoint_of(signal, environ) for signal in ("traces", "metrics"))
    assert traces is not None
    assert metrics is not None
    assert (traces.url, metrics.url) == ("https://traces:443/in", "http://all:4318/otlp/v1/metrics")
    assert (traces.headers, metrics.headers) == ((("a", "all"),), (("a", "own"),))
    assert (traces.protocol, metrics.protocol) == ("http/protobuf", "grpc")


@pytest.mark.parametrize("value", ["Basic%20Zm9vOmJhcg%3D%3D", "Basic Zm9vOmJhcg=="])
def test_vendors_spellings_of_a_header_are_one(value: str) -> None:
    """URL-encoded or not; names in lower case, "=" in values."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": f"Authorization={value}, X = a=b ,,=c,d",
    }
    endpoint = endpoint_of("traces", environ)
    assert endpoint is not None
    assert endpoint.headers == (("authorization", "Basic Zm9vOmJhcg=="), ("x", "a=b"))
