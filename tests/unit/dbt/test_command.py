"""The words and the environment that dbt is started with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_pipeline_otel.dbt import native
from airflow_provider_pipeline_otel.dbt.command import (
    environment_of,
    target_folder,
    with_state,
    words_of,
)
from airflow_provider_pipeline_otel.dbt.destination import Parent
from airflow_provider_pipeline_otel.dbt.folders import TryFolder, tidy


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ["build"]),
        ({"select": "a+ b", "exclude": ["c"]}, ["--select", "a+", "b", "--exclude", "c"]),
        ({"variables": {"day": 1}}, ["--vars", '{"day": 1}']),
        ({"variables": "day: 1"}, ["--vars", "day: 1"]),
        ({"variables": {}, "select": "", "exclude": [], "target": ""}, []),
        ({"target": "prod", "profiles_dir": "/p"}, ["--target", "prod", "--profiles-dir", "/p"]),
        ({"arguments": ["--threads", "4"], "select": ["a"]}, ["--select", "a", "--threads", "4"]),
    ],
)  # fmt: skip
def test_words(options: dict[str, Any], words: list[str]) -> None:
    """The command first, and the user's own arguments last."""
    found = words_of("build", **options)
    assert found == ["build", *(words if words != ["build"] else [])]


def test_a_command_of_two_words() -> None:
    """They stay two."""
    assert words_of("source freshness", select="a") == ["source", "freshness", "--select", "a"]


@pytest.fixture
def folder(tmp_path: Path) -> TryFolder:
    """Give a try's folder."""
    return TryFolder(tmp_path / "dbt", ("dag", "task", "-1"))


def test_a_private_target(folder: TryFolder) -> None:
    """Unless the environment or the words name another: then the project's folder counts."""
    environ = environment_of({"PATH": "p"}, folder, ["build"], "nonce")
    assert target_folder(environ, ["build"], "/project") == folder.target
    assert environ["DBT_ENV_CUSTOM_ENV_PIPELINE_OTEL_NONCE"] == "nonce"
    named = environment_of({"DBT_TARGET_PATH": "out"}, folder, ["build"], "nonce")
    assert target_folder(named, ["build"], "/project") == Path("/project/out")
    words = ["build", "--target-path", "mine"]
    assert "DBT_TARGET_PATH" not in environment_of({}, folder, words, "nonce")
    assert target_folder({}, words, "/project") == Path("/project/mine")


def test_the_state_of_a_retry(tmp_path: Path) -> None:
    """`dbt retry` alone gets one, unless it has one."""
    assert with_state(["retry"], tmp_path) == ["retry", "--state", str(tmp_path)]
    assert with_state(["retry"], None) == ["retry"]
    assert with_state(["retry", "--state", "x"], tmp_path) == ["retry", "--state", "x"]
    assert with_state(["build"], tmp_path) == ["build"]


def try_of(root: Path, task: str, *, results: bool = True, size: int = 0) -> TryFolder:
    """Return the folder of a try that has ended."""
    folder = TryFolder(root, (task,))
    if results:
        (folder.target / "run_results.json").write_text("{}")
    (folder.target / "manifest.json").write_bytes(b"x" * size)
    folder.close()
    return folder


def test_the_previous_target_is_the_newest_with_results(tmp_path: Path) -> None:
    """Of this task, and not this try's own."""
    try_of(tmp_path, "a")
    second = try_of(tmp_path, "a")
    try_of(tmp_path, "a", results=False)
    try_of(tmp_path, "b")
    assert TryFolder(tmp_path, ("a",)).previous_target() == second.target


def test_partial_parse_is_handed_on(tmp_path: Path) -> None:
    """From one try of a task to the next."""
    first = try_of(tmp_path, "a")
    (first.target / "partial_parse.msgpack").write_text("parsed")
    first.keep_partial_parse()
    second = TryFolder(tmp_path, ("a",))
    second.take_partial_parse()
    assert (second.target / "partial_parse.msgpack").read_text() == "parsed"


def test_tidying(tmp_path: Path) -> None:
    """The oldest go beyond number or bytes; each task's newest results stay, and what lives."""
    kept = try_of(tmp_path, "rare")
    tries = [try_of(tmp_path, "often") for _ in range(4)]
    tidy(tmp_path, most=3, most_bytes=1000)
    assert kept.path.exists()
    assert [folder.path.exists() for folder in tries] == [False, True, True, True]
    big = [try_of(tmp_path, "big", size=900) for _ in range(2)]
    tidy(tmp_path, most=3, most_bytes=1000)
    assert [folder.path.exists() for folder in big] == [False, True]


@pytest.mark.parametrize(
    ("version", "draws"),
    [("1.11.16", False), ("1.12.0", True), ("2.0.9", True), (None, False), ("odd", False)],
)
def test_who_draws_spans(version: str | None, draws: bool) -> None:  # noqa: FBT001
    """dbt-core from 1.12 on, and dbt 2."""
    assert native.draws_spans(version) is draws


def test_native_spans_are_told_where_they_belong(tmp_path: Path) -> None:
    """In dbt-core's words and in dbt 2's; nothing where the trace isn't sampled."""
    parent = Parent(bytes(range(16)), bytes(range(8)), sampled=True)
    said = native.environment_of(parent, tmp_path, {})
    assert said["TRACEPARENT"] == f"00-{bytes(range(16)).hex()}-{bytes(range(8)).hex()}-01"
    assert said["DBT_INVOCATION_ID"].replace("-", "") == bytes(range(16)).hex()
    assert "DBT_EXPORT_TO_OTLP" not in said
    collector = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}
    assert native.environment_of(parent, None, collector)["DBT_EXPORT_TO_OTLP"] == "true"
    assert native.environment_of(parent._replace(sampled=False), tmp_path, {}) == {}


def environment_with_dbt(root: Path, version: str) -> Path:
    """Make what tells a virtual environment with dbt-core, and return its program."""
    site_packages = root / "lib" / "python3.11" / "site-packages"
    (site_packages / "dbt" / "cli").mkdir(parents=True)
    (site_packages / "dbt" / "cli" / "main.py").touch()
    (site_packages / f"dbt_core-{version}.dist-info").mkdir()
    (root / "bin").mkdir()
    (root / "bin" / "dbt").touch(mode=0o755)
    return root / "bin" / "dbt"


def test_only_a_dbt_core_that_draws_spans_is_launched_inside_the_trace(tmp_path: Path) -> None:
    """An older one needs nothing of ours in its environment, and runs as it is."""
    old = str(environment_with_dbt(tmp_path / "old", "1.11.16"))
    assert native.launched(old, ["build"], {}, "") == [old, "build"]
    new = environment_with_dbt(tmp_path / "new", "1.12.0")
    command = native.launched(str(new), ["build"], {}, "")
    assert (command[0], command[-1]) == (str(new.with_name("python")), "build")
    assert native.first_version(command) == (1, 12)


def test_dbt_is_launched_wherever_its_name_leads(tmp_path: Path) -> None:
    """By PATH, from the project's folder, and through links."""
    program = environment_with_dbt(tmp_path / "venv", "1.12.0")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "dbt").symlink_to(program)
    python = str(program.with_name("python"))
    for folder in (program.parent, tmp_path / "links"):
        assert native.launched("dbt", ["run"], {"PATH": str(folder)}, "")[0] == python
    assert native.launched("venv/bin/dbt", ["run"], {}, str(tmp_path))[0] == python


def test_a_dbt_without_this_package_says_how_to_install_it(tmp_path: Path) -> None:
    """In its own environment, which is not Airflow's."""
    *_, program = native.launched(str(environment_with_dbt(tmp_path, "1.12.0")), [], {}, "")
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{sys.executable} -m pip install airflow-provider-pipeline-otel" in done.stderr


def test_a_dbt_that_cant_be_launched_leaves_the_spans_to_us(tmp_path: Path) -> None:
    """A script that calls dbt-core: its spans would reach nobody. dbt 2 needs no launching."""
    command = native.launched("dbt", ["build"], {"PATH": str(tmp_path)}, "")
    assert command == ["dbt", "build"]
    first = native.first_version(command)
    assert not native.draws_spans("1.12.6", first)
    assert native.draws_spans("2.0.9", first)
