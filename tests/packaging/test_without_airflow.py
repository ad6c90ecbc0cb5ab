"""The wheel where no Airflow is: beside dbt, in Spark drivers and Kafka consumers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.airflow.sink import Sink
from tests.packaging.question import PACKAGE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packaging.question import Installed

AIRFLOWS_OWN: Final = (
    "plugin",
    "listener",
    "election",
    "run_ends",
    "run_watch",
    "skeleton.database",
    "skeleton.due",
    "skeleton.jobs",
    "skeletons",
    "tick",
    "windows",
    "operators.dbt",
    "operators.python",
)
"""The modules that may import Airflow, or the SQLAlchemy that it brings, at their top level."""

IMPORT_ALL: Final = f"""
import importlib, json, pkgutil, sys
sys.modules["airflow"] = None
import {PACKAGE} as package
left_out = {{package.__name__ + "." + name for name in {AIRFLOWS_OWN}}}
failed = {{}}
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if module.name in left_out or module.name.endswith(".__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except BaseException as error:
        failed[module.name] = repr(error)
print(json.dumps(failed))
"""
PUBLIC: Final = f"""
import json, {PACKAGE} as package
names = [name for name in package.__all__ if not name.endswith("Operator")]
print(json.dumps([name for name in names if getattr(package, name, None) is None]))
"""
CONSUME: Final = f"""
from {PACKAGE} import pipeline_stage, setup_otel
setup_otel("consumer")
with pipeline_stage("consume", source_system="kafka") as stage:
    stage.add_records(read=3)
print("true")
"""


def test_modules_import_with_airflow_blocked(bare: Installed) -> None:
    """Whatever is not Airflow's own business imports without it."""
    assert bare.ask(IMPORT_ALL).value == {}


def test_public_names_resolve(bare: Installed) -> None:
    """All public names but the operator are usable without Airflow."""
    assert bare.ask(PUBLIC).value == []


def test_commands_work(bare: Installed, tmp_path: Path) -> None:
    """A consumer's stage is drawn by `show` and brought to a collector by `drain`."""
    spool = {"AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(tmp_path / "spool")}
    assert bare.ask(CONSUME, **spool).value is True
    shown = bare.command("pipeline-otel", "show", **spool)
    assert (shown.code, "consume" in shown.output) == (0, True), shown
    with Sink() as sink:
        drained = bare.command(
            "pipeline-otel", "drain", OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint, **spool
        )
        assert drained.code == 0, drained
        assert [span.name for span in sink.spans()] == ["consume"]
    kept = bare.command("pipeline-otel", "show", **spool)
    assert (kept.code, "consume" in kept.output) == (0, True), kept
    empty = {"AIRFLOW__PIPELINE_OTEL__SPOOL_DIR": str(tmp_path / "empty")}
    assert bare.command("pipeline-otel", "show", **empty).code == 1
