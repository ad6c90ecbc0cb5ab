"""Runs in Airflow's environment: forks a real task process for each line of its input.

`supervise_task` is Airflow's own supervisor, here with an API client that answers by itself:
process, hooks, signals and sockets are those of a worker, without scheduler or database.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import sys
import threading
import time
from typing import Any
from uuid import uuid4


class Watch:
    """Tells when the forked task has exited: the supervisor itself may notice up to 5 s later."""

    def __init__(self) -> None:
        self._fork = os.fork
        self._thread: threading.Thread | None = None
        self.wall = 0.0
        os.fork = self.fork

    def fork(self) -> int:
        """Fork, and begin to watch the child."""
        began = time.monotonic()
        pid = self._fork()
        if pid:
            self._thread = threading.Thread(target=self._wait, args=(os.pidfd_open(pid), began))
            self._thread.start()
        return pid

    def _wait(self, pidfd: int, began: float) -> None:
        select.select([pidfd], [], [])
        self.wall = time.monotonic() - began
        os.close(pidfd)

    def join(self) -> None:
        """Wait until the child's end has been seen."""
        if self._thread is not None:
            self._thread.join()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _client() -> Any:
    """Return Airflow's dry-run client, with the fields that its made-up answer lacks on 3.3."""
    import httpx
    from airflow.sdk.api.client import Client, noop_handler

    def answer(request: httpx.Request) -> httpx.Response:
        response = noop_handler(request)
        if not request.url.path.endswith("/run"):
            return response
        body = response.json()
        lacking = ("partition_key", "partition_date", "data_interval_start", "data_interval_end")
        body["dag_run"] |= dict.fromkeys((*lacking, "end_date")) | {"state": "running"}
        return httpx.Response(200, json=body)

    return Client(base_url=None, dry_run=True, token="", transport=httpx.MockTransport(answer))


def main() -> None:
    """Answer each line with the CPU and wall seconds of one task process."""
    import airflow.sdk.execution_time.task_runner  # noqa: F401  a worker has it before it forks
    from airflow.executors.workloads import BundleInfo, TaskInstance
    from airflow.plugins_manager import get_plugin_info  # noqa: F401
    from airflow.sdk.execution_time import supervisor
    from airflow.sdk.listener import get_listener_manager

    # A LocalExecutor's worker is forked from a scheduler that has had its start hook.
    get_listener_manager().hook.on_starting(component=object())
    # As LocalExecutor does. Without it some tasks pay 100 ms for a full collection of what they
    # inherited, and which ones is chance.
    gc.freeze()
    watch = Watch()
    answers, sys.stdout = sys.stdout, sys.stderr
    for number, _ in enumerate(sys.stdin):
        fields: dict[str, Any] = {
            "id": uuid4(),
            "task_id": "nothing",
            "dag_id": "bench",
            "run_id": f"run{number}",
            "try_number": 1,
            "map_index": -1,
            "dag_version_id": uuid4(),
            "pool_slots": 1,
            "queue": "default",
            "priority_weight": 1,
            "context_carrier": {"traceparent": f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"},
        }
        before = _cpu()
        code = supervisor.supervise_task(
            ti=TaskInstance(**fields),
            bundle_info=BundleInfo(name="dags-folder"),
            dag_rel_path="bench.py",
            token="",
            client=_client(),
        )
        watch.join()
        answers.write(json.dumps({"cpu": _cpu() - before, "wall": watch.wall, "code": code}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
