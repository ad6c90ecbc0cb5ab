"""The installed wheel in every Airflow: what is imported and registered, and when."""

from __future__ import annotations

import json
import zipfile
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import pytest

from tests.packaging.question import ENABLED_BUT_DISABLED, ON, PACKAGE

if TYPE_CHECKING:
    from pathlib import Path

    from demo.instance import AirflowInstance
    from tests.packaging.question import Installed

OPTIONS: Final = {
    "enabled",
    "spool_dir",
    "flush_deadline",
    "trigger_links",
    "spool_max_bytes",
    "spool_max_age",
    "spool_max_files",
}
UNSEEN: Final = ("opentelemetry.sdk", "opentelemetry.exporter", "requests", "google.protobuf")
"""What the plugin must not be the first to import."""

REGISTER: Final = f"""
import json, sys
import airflow
import airflow.jobs.scheduler_job_runner, airflow.jobs.triggerer_job_runner
assert "{PACKAGE}.plugin" not in sys.modules
before = set(sys.modules)
from airflow.listeners.listener import get_listener_manager
managers = [get_listener_manager()]
try:
    from airflow.sdk.listener import get_listener_manager as get_task_listener_manager
    managers.append(get_task_listener_manager())
except ImportError:
    pass
found = [sorted(p.__name__ for p in m.pm.get_plugins() if hasattr(p, "__name__")) for m in managers]
modules = set(sys.modules)
print(json.dumps(dict(
    listeners=found,
    ours=sorted(m for m in modules if m.split(".")[0] == "{PACKAGE}"),
    new=sorted(modules - before),
)))
"""
FILES: Final = f"""
import hashlib, json, pathlib, {PACKAGE} as package
folder = pathlib.Path(package.__file__).parent
print(json.dumps({{
    str(path.relative_to(folder.parent)): hashlib.sha256(path.read_bytes()).hexdigest()
    for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
}}))
"""
ENTRY_POINTS: Final = f"""
import json
from importlib.metadata import distribution
points = distribution("airflow-provider-pipeline-otel").entry_points
found = {{point.group: point.load() for point in points}}
import {PACKAGE} as package
missing = [name for name in package.__all__ if getattr(package, name, None) is None]
print(json.dumps([sorted(found), missing]))
"""
EXECUTORS: Final = {
    "LocalExecutor": "airflow.executors.local_executor",
    "CeleryExecutor": "airflow.providers.celery.executors.celery_executor",
}


def test_it_is_the_built_wheel(installed: Installed, wheel: Path) -> None:
    """What these tests look at is what the checkout builds, byte for byte."""
    archive = zipfile.ZipFile(wheel)
    packed = {name for name in archive.namelist() if name.startswith(PACKAGE + "/")}
    built = {name: sha256(archive.read(name)).hexdigest() for name in packed}
    stale = {name for name, _ in built.items() ^ installed.ask(FILES).value.items()}
    assert not stale, "install the wheel anew"


def test_airflow_works(installed: Installed, airflow: AirflowInstance) -> None:
    """Airflow imports our package while its configuration is half built, and bears it."""
    assert installed.ask("import airflow; print('true')", **ON).value is True
    version = installed.command("airflow", "version", **ON)
    assert (version.code, version.output.split()[-1]) == (0, airflow.version), version.errors


def test_airflow_lists_provider_and_options(installed: Installed, airflow: AirflowInstance) -> None:
    """The provider is in `airflow providers list`, its options in `airflow config list`."""
    providers = installed.command("airflow", "providers", "list", "--output", "json").output
    listed = json.loads(providers[providers.index("[") :])
    assert "airflow-provider-pipeline-otel" in {row["package_name"] for row in listed}
    show = () if airflow.version < "3.2" else ("--show-values",)
    command = ("config", "list", "--section", "pipeline_otel")
    config = installed.command("airflow", *command, *show)
    lines = config.output[config.output.index("[pipeline_otel]") :].splitlines()[1:]
    values = {key.strip("# "): value.strip() for key, _, value in (x.partition("=") for x in lines)}
    assert values.keys() >= OPTIONS
    assert values["enabled"] == "False"
    assert values["flush_deadline"] == "0.5"


def test_off_nothing_is_imported(installed: Installed) -> None:
    """Off, as by default, no listener is registered, and the plugin is all that is loaded."""
    answer = installed.ask(REGISTER).value
    assert not any(answer["listeners"])
    entry = {PACKAGE, f"{PACKAGE}.provider_info", f"{PACKAGE}.plugin"}
    assert set(answer["ours"]) <= entry


def test_on_little_is_imported(installed: Installed) -> None:
    """On, each listener manager has one listener, and neither SDK nor exporter is loaded for it."""
    answer = installed.ask(REGISTER, **ON).value
    assert answer["listeners"] == [[f"{PACKAGE}.listener"]] * len(answer["listeners"])
    heavy = [name for name in answer["new"] if name.startswith(UNSEEN)]
    assert not heavy


def test_sdk_disabled_switches_all_off(installed: Installed) -> None:
    """OTEL_SDK_DISABLED=true registers no listener, whatever [pipeline_otel] enabled says."""
    assert not any(installed.ask(REGISTER, **ENABLED_BUT_DISABLED).value["listeners"])


def test_the_dag_processor_has_no_listener(airflow: AirflowInstance, installed: Installed) -> None:
    """Where DAGs are parsed no listener stands in the way of end_from_trigger=True, from 3.2 on."""
    before_3_2 = tuple(map(int, airflow.version.split(".")[:2])) < (3, 2)
    found = installed.ask(REGISTER, "dag-processor", **ON).value["listeners"]
    assert any(found) == before_3_2


def test_a_broken_dependency_is_one_warning(installed: Installed, tmp_path: Path) -> None:
    """Airflow goes on without us where a library of ours is broken, and one warning names it."""
    (tmp_path / "sitecustomize.py").write_text(BREAK_MSGSPEC_FOR_US)
    answer = installed.ask(REGISTER, PYTHONPATH=str(tmp_path), **ON)
    assert not any(answer.value["listeners"])
    said = [line for line in (answer.output + answer.errors).splitlines() if "msgspec" in line]
    assert len(said) == 1, answer.errors
    assert "pipeline_otel" in said[0]
    assert "Traceback" not in answer.errors


BREAK_MSGSPEC_FOR_US: Final = f"""
# Airflow needs msgspec too: it must break for us alone.
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "{PACKAGE}.config":
            raise ImportError("broken", name="msgspec")
sys.meta_path.insert(0, Broken())
"""


def test_entry_points_and_public_names_resolve(installed: Installed) -> None:
    """Every entry point loads, every public name is there, the command is installed."""
    groups, missing = installed.ask(ENTRY_POINTS).value
    assert groups == [
        "airflow.plugins",
        "apache_airflow_provider",
        "console_scripts",
        "opentelemetry_traces_exporter",
        "opentelemetry_traces_sampler",
    ]
    assert missing == []
    assert installed.command("pipeline-otel", "--help").code == 0


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("first", ["executor", "plugin"])
def test_executor_and_plugin_in_any_order(installed: Installed, executor: str, first: str) -> None:
    """Neither import order of executor and plugin ends in a circular import."""
    of_executor = f"from {EXECUTORS[executor]} import {executor}"
    of_plugin = f"from {PACKAGE}.plugin import PipelineOtelPlugin"
    if executor != "LocalExecutor" and installed.ask(f"import airflow\n{of_executor}").code:
        pytest.skip(f"{executor} is not installed")
    order = (of_executor, of_plugin) if first == "executor" else (of_plugin, of_executor)
    check = "import json; print(json.dumps(len(PipelineOtelPlugin.listeners)))"
    assert installed.ask("\n".join((*order, check)), **ON).value == 1
