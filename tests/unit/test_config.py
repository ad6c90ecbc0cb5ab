"""Settings are read once; what can't be read is said with name, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_pipeline_otel.config import read_settings, resource_of
from airflow_provider_pipeline_otel.options import airflow_cfg_option
from airflow_provider_pipeline_otel.provider_info import OPTIONS, get_provider_info

PREFIX = "AIRFLOW__PIPELINE_OTEL__"


def test_defaults_are_those_that_airflow_is_told() -> None:
    """One place for them: `airflow config list` can't say anything else."""
    settings = read_settings({"HOME": "/nowhere"})
    assert not settings.enabled
    assert settings.flush_deadline == float(OPTIONS["flush_deadline"]["default"])
    assert settings.caps.bytes == int(OPTIONS["spool_max_bytes"]["default"])
    assert settings.endpoint is None
    assert settings.trigger_links


def test_every_option_is_described() -> None:
    """Type, default and example, as Airflow's schema wants them."""
    info = get_provider_info()
    options = info["config"]["pipeline_otel"]["options"]  # type: ignore[index]
    for option in options.values():
        assert {"description", "type", "example", "default", "version_added"} <= set(option)


@pytest.mark.parametrize("name", ["flush_deadline", "spool_max_bytes", "spool_max_age"])
@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_a_number_that_is_none_is_said(
    name: str, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The default is used; the warning names option, value and remedy."""
    settings = read_settings({f"{PREFIX}{name.upper()}": text})
    assert settings == read_settings({})
    assert name in caplog.text
    assert text in caplog.text
    assert f"{PREFIX}{name.upper()}" in caplog.text


def test_a_switch_that_is_none_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """A typo must not pass for `off` in silence."""
    assert not read_settings({f"{PREFIX}ENABLED": "enabled"}).enabled
    assert "neither True nor False" in caplog.text


def test_without_airflow_its_file_is_read_too(tmp_path: Path) -> None:
    """The environment overrules it, and what it doesn't say is at its default."""
    (tmp_path / "airflow.cfg").write_text(
        "[core]\nfernet_key = 50%\n[pipeline_otel]\nspool_dir = /a\nspool_max_files = 7\n"
    )
    environ = {"AIRFLOW_HOME": str(tmp_path), f"{PREFIX}SPOOL_MAX_FILES": "8"}
    settings = read_settings(environ, airflow_cfg_option(environ))
    assert (settings.spool_dir, settings.caps.files) == (Path("/a"), 8)
    assert settings.caps.age == read_settings({}).caps.age
    elsewhere = {"AIRFLOW_CONFIG": str(tmp_path / "airflow.cfg"), "AIRFLOW_HOME": "/nowhere"}
    assert read_settings(elsewhere, airflow_cfg_option(elsewhere)).caps.files == 7


@pytest.mark.parametrize("broken", [b"rubbish", b"[pipeline_otel\n", b"\xff\xfe"])
def test_a_file_that_is_none_is_said(
    tmp_path: Path, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """By its name; the environment and the defaults are used."""
    (tmp_path / "airflow.cfg").write_bytes(broken)
    environ = {"AIRFLOW_HOME": str(tmp_path)}
    assert read_settings(environ, airflow_cfg_option(environ)) == read_settings(environ)
    assert caplog.text.count("airflow.cfg") == 1


def test_otel_sdk_disabled_switches_all_off() -> None:
    """Whatever the option says."""
    environ = {f"{PREFIX}ENABLED": "True"}
    assert read_settings(environ).enabled
    assert not read_settings(environ | {"OTEL_SDK_DISABLED": "true"}).enabled


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({f"{PREFIX}SPOOL_DIR": "/a/b"}, "/a/b"),
        ({"AIRFLOW_HOME": "/af", "HOME": "/h"}, "/af/pipeline_otel/spool"),
        ({"HOME": "/h"}, "/h/.local/state/pipeline_otel/spool"),
        ({"HOME": "/h", "XDG_STATE_HOME": "/x"}, "/x/pipeline_otel/spool"),
        ({}, "/.local/state/pipeline_otel/spool"),
    ],
)
def test_where_the_spool_lies(environ: dict[str, str], folder: str) -> None:
    """Under AIRFLOW_HOME, else where programs keep their state."""
    assert read_settings(environ).spool_dir == Path(folder)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://c/otlp/"}, "https://c/otlp/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/own"}, "http://c/own"),
    ],
)
def test_where_spans_go(environ: dict[str, str], url: str) -> None:
    """The traces' own variable is taken as it is; the general one is a base."""
    endpoint = read_settings(environ).endpoint
    assert endpoint is not None
    assert endpoint.url == url


def test_an_address_that_is_none_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """`host:port` without a scheme is the usual mistake."""
    assert read_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}).endpoint is None
    assert "collector:4318" in caplog.text
    assert "http://localhost:4318" in caplog.text


def test_headers_are_read_as_w3c_has_them() -> None:
    """URL-encoded, "=" in values, names in small letters; the traces' own variable wins."""
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c",
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20Zm9vOmJhcg%3D%3D,x=a=b, ,=y",
    }
    endpoint = read_settings(environ).endpoint
    assert endpoint is not None
    assert endpoint.headers == (("authorization", "Basic Zm9vOmJhcg=="), ("x", "a=b"))
    own = read_settings(environ | {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "k=v"}).endpoint
    assert own is not None
    assert own.headers == (("k", "v"),)


def test_the_resource_says_whose_process_it_is() -> None:
    """OpenTelemetry's variables first, then PIPELINE_NAME and its like."""
    environ = {
        "PIPELINE_NAME": "orders",
        "PIPELINE_TEAM": "shop",
        "ENV": "prod",
        "GIT_SHA": "abc",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=from_attributes,pipeline.team=other",
    }
    found = resource_of(read_settings(environ), "airflow")
    assert found["service.name"] == "from_attributes"
    assert found["pipeline.name"] == "orders"
    assert found["pipeline.team"] == "other"
    assert found["deployment.environment.name"] == "prod"
    assert found["service.version"] == "abc"
    named = resource_of(read_settings(environ | {"OTEL_SERVICE_NAME": "own"}), "airflow")
    assert named["service.name"] == "own"
    assert resource_of(read_settings({}), "airflow")["service.name"] == "airflow"
