"""setup_otel in processes of their own, as users call it; no Airflow is installed here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the process has its spool."""
    return tmp_path


def run(code: str, home: Path, **variables: str) -> str:
    """Run the code; return what it prints."""
    environ = {
        "PATH": os.defpath,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(home / "spool"),
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environ | variables,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def spans(home: Path) -> list[dict[str, Any]]:
    """Return what the processes have left in the spool."""
    show = "from airflow_provider_pipeline_otel.cli import main; main(['show', '--json'])"
    lines = run(show, home).splitlines()
    return [span for line in lines for span in json.loads(line)["spans"]]


def test_any_number_of_calls_are_one_set_up(home: Path) -> None:
    """From any thread; each span arrives once, at the end of the process, without a flush."""
    run(
        """
import threading
from airflow_provider_pipeline_otel import setup_otel
threads = [threading.Thread(target=setup_otel, args=("first",)) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
tracer, _ = setup_otel("second", resource_attributes={"a": 1})
with tracer.start_as_current_span("span"):
    pass
""",
        home,
    )
    (span,) = spans(home)
    assert span["resource"]["service.name"] == "first"
    assert span["resource"]["a"] == 1


def test_at_top_level_nothing_is_built(home: Path) -> None:
    """The SDK is imported with the first span, not when a DAG file is parsed."""
    out = run(
        """
import sys
from airflow_provider_pipeline_otel import setup_otel
tracer, meter = setup_otel("s")
meter.create_counter("c").add(1)
print("opentelemetry.sdk.trace" in sys.modules)
tracer.start_span("s").end()
print("opentelemetry.sdk.trace" in sys.modules)
""",
        home,
    )
    assert out.split() == ["False", "True"]


def test_a_forked_child_goes_on(home: Path) -> None:
    """Its spans hang below the parent's, in a segment of its own."""
    run(
        """
import os
from airflow_provider_pipeline_otel import flush_otel, pipeline_stage, setup_otel
setup_otel("s")
with pipeline_stage("parent"):
    pid = os.fork()
    if not pid:
        with pipeline_stage("child"):
            pass
        flush_otel()
        os._exit(0)
    os.waitpid(pid, 0)
""",
        home,
    )
    found = {span["name"]: span for span in spans(home)}
    assert found["child"]["parent_span_id"] == found["parent"]["span_id"]
    assert len(spans(home)) == 2


def test_environment_variables_have_the_last_word(home: Path) -> None:
    """And PIPELINE_NAME and its like fill what nothing else says."""
    run(
        """
from airflow_provider_pipeline_otel import pipeline_stage, setup_otel
setup_otel("from_code", resource_attributes={"pipeline.team": "from_code", "own": "kept"})
with pipeline_stage("s"):
    pass
""",
        home,
        OTEL_SERVICE_NAME="from_environment",
        PIPELINE_NAME="orders",
        PIPELINE_TEAM="shop",
        ENV="test",
    )
    resource = spans(home)[0]["resource"]
    assert resource["service.name"] == "from_environment"
    assert resource["pipeline.name"] == "orders"
    assert resource["own"] == "kept"
    assert resource["deployment.environment.name"] == "test"


def test_somebody_s_own_provider_is_left_alone(home: Path) -> None:
    """It is used, and not replaced."""
    run(
        """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
own = TracerProvider()
trace.set_tracer_provider(own)
from airflow_provider_pipeline_otel import pipeline_stage, setup_otel
tracer, _ = setup_otel("s")
assert trace.get_tracer_provider() is own
with pipeline_stage("s") as stage:
    assert stage.span.resource is own.resource
""",
        home,
    )
    assert not (home / "spool").exists()


def test_otel_sdk_disabled_leaves_nothing(home: Path) -> None:
    """No span, no file, no error."""
    run(
        """
from airflow_provider_pipeline_otel import flush_otel, pipeline_stage, setup_otel
tracer, meter = setup_otel("s")
tracer.start_span("s").end()
meter.create_counter("c").add(1)
with pipeline_stage("s"):
    pass
assert flush_otel()
""",
        home,
        OTEL_SDK_DISABLED="true",
    )
    assert not (home / "spool").exists()


def test_in_airflow_the_option_decides(home: Path) -> None:
    """`enabled = False` is off, also for code that calls setup_otel."""
    code = """
import sys, types
sys.modules["airflow"] = types.ModuleType("airflow")
from airflow_provider_pipeline_otel import setup_otel
tracer, _ = setup_otel()
tracer.start_span("s").end()
"""
    run(code, home)
    assert not (home / "spool").exists()
    run(
        code + "from airflow_provider_pipeline_otel import flush_otel; flush_otel()",
        home,
        AIRFLOW__PIPELINE_OTEL__ENABLED="True",
    )
    assert spans(home)[0]["resource"]["service.name"] == "airflow"


def test_a_home_that_cannot_be_written_costs_spans_only(home: Path) -> None:
    """Neither there nor in the temporary directory: the code runs on."""
    out = run(
        """
from airflow_provider_pipeline_otel import flush_otel, pipeline_stage, setup_otel
setup_otel("s")
with pipeline_stage("s"):
    print("ran")
flush_otel()
""",
        home,
        AIRFLOW__PIPELINE_OTEL__SPOOL_DIR="/dev/null/spool",
        TMPDIR="/dev/null",
    )
    assert out.split() == ["ran"]
