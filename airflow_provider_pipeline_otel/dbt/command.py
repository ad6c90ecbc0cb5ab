"""The words and the environment that dbt is started with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.dbt.folders import TryFolder

NONCE: Final = "PIPELINE_OTEL_NONCE"
"""dbt writes DBT_ENV_CUSTOM_ENV_<this> into its artifacts: they are this run's if it is there."""

Selection = str | Sequence[str] | None


def words_of(
    command: str,
    *,
    select: Selection = None,
    exclude: Selection = None,
    variables: Mapping[str, object] | str | None = None,
    target: str | None = None,
    project_dir: str | None = None,
    profiles_dir: str | None = None,
    arguments: Sequence[str] = (),
) -> list[str]:
    """Return dbt's arguments: what is None or empty is left out."""
    words = command.split()
    for flag, selection in (("--select", select), ("--exclude", exclude)):
        chosen = selection.split() if isinstance(selection, str) else [*(selection or ())]
        if chosen:
            words += [flag, *chosen]
    if variables:
        text = variables if isinstance(variables, str) else json.dumps(dict(variables))
        words += ["--vars", text]
    for flag, value in (
        ("--target", target),
        ("--project-dir", project_dir),
        ("--profiles-dir", profiles_dir),
    ):
        if value:
            words += [flag, value]
    return [*words, *arguments]


def environment_of(
    environ: Mapping[str, str], folder: TryFolder, words: Sequence[str], nonce: str
) -> dict[str, str]:
    """Return the environment that makes dbt write into the folder, and log as it is read.

    A target that the user names stays the user's.
    """
    found = dict(environ)
    if "--target-path" not in words and "DBT_TARGET_PATH" not in found:
        found["DBT_TARGET_PATH"] = str(folder.target)
    return found | {
        "DBT_LOG_PATH": str(folder.logs),
        "DBT_LOG_FORMAT_FILE": "json",
        "DBT_LOG_LEVEL_FILE": "debug",
        "DBT_USE_COLORS": "false",
        "DBT_USE_COLORS_FILE": "false",
        f"DBT_ENV_CUSTOM_ENV_{NONCE}": nonce,
        "PYTHONUNBUFFERED": "1",
    }


def target_folder(environ: Mapping[str, str], words: Sequence[str], project_dir: str) -> Path:
    """Return where dbt writes its artifacts, given that environment and those words."""
    if "--target-path" in words[:-1]:
        named = words[[*words].index("--target-path") + 1]
    else:
        named = environ["DBT_TARGET_PATH"]
    return Path(project_dir or os.curdir, named)


def with_state(words: Sequence[str], previous: Path | None) -> list[str]:
    """Return the words with the state that `dbt retry` goes on from, unless they name one."""
    if previous is None or words[0] != "retry" or "--state" in words:
        return [*words]
    return [*words, "--state", str(previous)]
