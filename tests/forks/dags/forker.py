"""Tasks that fork, one after the other."""

from __future__ import annotations

import os

from airflow_versions import python_task, truth_dag


def fork() -> None:
    """Fork a child and wait for it."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


with truth_dag("forker"):
    python_task("plain") >> python_task("forking", fork) >> python_task("again", fork)
