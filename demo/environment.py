"""The environment variables of a headless Airflow on the loopback interface."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NOT_HANDED_DOWN = ("AIRFLOW", "_AIRFLOW", "OTEL_", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
FIRST_MAJOR = 2
"""The oldest Airflow that is served; the later ones have an API server."""

_FERNET_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

_ALL_VERSIONS = {
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
    "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
    "AIRFLOW__CORE__MP_START_METHOD": "fork",
    "AIRFLOW__CORE__FERNET_KEY": _FERNET_KEY,
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
    "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "3600",
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
    "PYTHONUNBUFFERED": "1",
}
_AIRFLOW_2 = {
    # Airflow 2 refuses a parallel executor on SQLite unless its own tests' switch says otherwise.
    "_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK": "1",
    "AIRFLOW__WEBSERVER__SECRET_KEY": "y" * 32,
    "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "25",
    "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "5",
}
_AIRFLOW_3 = {
    "AIRFLOW__API_AUTH__JWT_SECRET": "x" * 64,
    "AIRFLOW__API__SECRET_KEY": "y" * 32,
    "AIRFLOW__API__WORKERS": "1",
    "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
    # SQLite locked for a minute, by Airflow 3.0, is no reason to take a DAG's file for gone.
    "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "3600",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "25",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    # At the default of 5 s a supervisor that misses its task's exit sleeps on for as long.
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
}


def airflow_environment(
    *,
    virtual_environment: Path,
    home: Path,
    dags: Path,
    database_url: str,
    port: int,
    major: int,
    parallelism: int,
    extra: Mapping[str, str],
) -> dict[str, str]:
    """Return the whole environment of every process of one instance.

    Nothing of the caller's own Airflow, telemetry or proxy settings is handed down.
    """
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(_NOT_HANDED_DOWN) and not key.lower().endswith("_proxy")
    }
    environment = inherited | _ALL_VERSIONS | (_AIRFLOW_2 if major == FIRST_MAJOR else _AIRFLOW_3)
    environment |= {
        "PATH": f"{virtual_environment / 'bin'}{os.pathsep}{inherited.get('PATH', os.defpath)}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PARALLELISM": str(parallelism),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url,
    }
    if major > FIRST_MAJOR:
        base = f"http://localhost:{port}"
        environment |= {
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{base}/execution/",
            "AIRFLOW__API__BASE_URL": base,
            "AIRFLOW__API__PORT": str(port),
        }
    return environment | dict(extra)
