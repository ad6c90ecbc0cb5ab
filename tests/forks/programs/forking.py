"""Forks again and again beside a delivery over TLS; each child makes a TLS connection of its own.

Executed with Python 3.12 or later; argument: how many forks. Prints what came of it as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import ssl
import sys
import threading
import time
import warnings
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

HUNG_AFTER = 30.0
AT_ONCE = 4


def connect(url: str, certificate: str) -> None:
    """Do what a task may do first: look a name up, shake hands, send, read."""
    address = urlsplit(url)
    context = ssl.create_default_context(cafile=certificate)
    connection = HTTPSConnection(address.hostname, address.port, context=context, timeout=20)
    connection.request("POST", "/from-a-child", b"")
    connection.getresponse().read()
    connection.close()


def is_delivering() -> bool:
    """Say whether a thread of ours is at work."""
    return any(thread.name.startswith("pipeline_otel") for thread in threading.enumerate())


def reap(child: int) -> str:
    """Wait for a child; say how it ended."""
    deadline = time.monotonic() + HUNG_AFTER
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return "well" if status == 0 else "badly"
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def fork(url: str, certificate: str) -> int:
    """Fork a child that connects."""
    child = os.fork()
    if child:
        return child
    try:
        connect(url, certificate)
    except BaseException:  # noqa: BLE001 - the exit code tells
        os._exit(1)
    os._exit(0)


def main(forks: int) -> None:
    """Fork that often."""
    threads: list[int] = []
    # Hooks run in the reverse order: registered before the package's, it sees what a fork meets.
    os.register_at_fork(before=lambda: threads.append(len([*Path("/proc/self/task").iterdir()])))
    from airflow_provider_pipeline_otel.config import read_settings
    from airflow_provider_pipeline_otel.export.delivery import deliver
    from airflow_provider_pipeline_otel.export.fork_gate import work_within
    from airflow_provider_pipeline_otel.export.spool import Spool, private_folder
    from airflow_provider_pipeline_otel.export.writer import SpanWriter
    from airflow_provider_pipeline_otel.record import SpanRecord

    warnings.simplefilter("ignore", DeprecationWarning)
    settings = read_settings()
    endpoint = settings.endpoint
    spool = Spool(private_folder(settings.spool_dir), settings.caps)
    writer = SpanWriter(spool, {"service.name": "forking"})
    ends = {"well": 0, "badly": 0, "hung": 0}
    deliveries = beside = 0
    children: list[int] = []
    for _ in range(forks):
        if not is_delivering():
            record = SpanRecord(os.urandom(16), os.urandom(8), b"", f"delivery {deliveries}", 1, 2)
            writer.write_finished([record])
            work_within(lambda: deliver(spool, endpoint, time.monotonic() + 10.0), 0.0)
            deliveries += 1
        time.sleep(random.random() * 0.003)  # noqa: S311 - so that forks meet all of its moments
        beside += is_delivering()
        children.append(fork(endpoint.url, endpoint.certificate))
        if len(children) == AT_ONCE:
            ends[reap(children.pop(0))] += 1
    for child in children:
        ends[reap(child)] += 1
    while is_delivering():
        time.sleep(0.01)
    met = sum(count > 1 for count in threads)
    found = ends | {"deliveries": deliveries, "beside": beside, "met_a_thread": met}
    print(json.dumps(found))  # noqa: T201


main(int(sys.argv[1]))
