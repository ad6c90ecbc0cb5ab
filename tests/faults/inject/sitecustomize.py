"""Makes chosen functions of the package fail, in every process whose PYTHONPATH names this folder.

Which fails, and how, stands in the run's id, e.g. `worker.open_worker~SystemExit`; for functions
that know no run it stands in the file `fault` under AIRFLOW_HOME. It is looked up at each call.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import json
import os
import sys
import time
from functools import wraps
from pathlib import Path

PACKAGE = "airflow_provider_pipeline_otel"
PLACES = {
    "worker": ("open_worker", "close_worker", "finish"),
    "sdk.processor": ("SpoolProcessor.write_open",),
    "propagation.xcom": ("inject",),
    "export.encoding": ("encode_span",),
    "scheduler": ("remember_job", "note_start", "note_end", "_committed"),
    "run_ends": ("RunEnds.write_some",),
    "tick": ("Tick.run_if_due",),
}
OF_THE_HOST = {"remember_job", "_committed", "RunEnds.write_some", "Tick.run_if_due"}
OF_TASKS = {"worker", "export.encoding"}
STARTED = os.getpid()
HOME = Path(os.environ.get("AIRFLOW_HOME", "/nonexistent"))

run_ids: list[str] = []
working: list[bool] = []
"""True in a process that works on a task; what has no argument that names a run is the task's."""


def affected(place: str, name: str, arguments: tuple, options: dict) -> str:
    """Return how the call must fail; empty where it must not."""
    for argument in arguments[:1]:
        found = getattr(argument, "__dict__", {}).get("run_id") or getattr(argument, "run_id", None)
        if isinstance(found, str):
            run_ids[:] = [found]
            working[:] = [not name.startswith("note_")]
    if place in OF_TASKS and not any(working):
        return ""
    try:
        if name not in OF_THE_HOST:
            text = (run_ids or [""])[0]
        elif os.getpid() == STARTED:  # not in what the scheduler forks
            text = (HOME / "fault").read_text()
        else:
            return ""
    except OSError:
        return ""
    where, _, how = text.strip().partition("~")
    if name == "encode_span" and arguments[0].name.startswith("worker."):
        return ""  # only the spans that end in the middle of the user's lines
    if name == "SpoolProcessor.write_open" and not options.get("terminated"):
        return ""  # only the mark of SIGTERM's handler
    return how if where == f"{place}.{name}" else ""


def fail(how: str) -> None:
    """Fail."""
    if how.startswith("sleep"):
        time.sleep(float(how.removeprefix("sleep")))
    elif how:
        raise {"Exception": RuntimeError, "SystemExit": SystemExit}[how]("injected")


def note_cost(name: str, began: float) -> None:
    """Note how long the last hook of a task's process took."""
    if name == "finish" and any(working):
        line = json.dumps({"run_id": run_ids[0], "seconds": time.monotonic() - began})
        with (HOME / "finish.jsonl").open("a") as file:
            file.write(line + "\n")


def wrap(place: str, name: str, function):  # noqa: ANN001, ANN201
    """Return the function with the fault before it."""

    @wraps(function)
    def call(*arguments, **options):  # noqa: ANN002, ANN003, ANN202
        began = time.monotonic()
        try:
            how = affected(place, name, arguments, options)
            if how:
                with (HOME / "injected.log").open("a") as file:
                    file.write(f"{place}.{name}~{how} {os.getpid()}\n")
            fail(how)
            return function(*arguments, **options)
        finally:
            note_cost(name, began)

    return call


class Finder(importlib.abc.MetaPathFinder):
    """Wraps the functions of a module when it has been loaded."""

    def find_spec(self, fullname, path=None, target=None):  # noqa: ANN001, ANN201, ARG002
        """Find the module as always, and add to its loading."""
        place = fullname.removeprefix(PACKAGE + ".")
        if not fullname.startswith(PACKAGE) or place not in PLACES:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            sys.meta_path.insert(0, self)
        load = spec.loader.exec_module

        def load_and_wrap(module) -> None:  # noqa: ANN001
            load(module)
            for name in PLACES[place]:
                *owners, last = name.split(".")
                owner = getattr(module, owners[0]) if owners else module
                setattr(owner, last, wrap(place, name, getattr(owner, last)))

        spec.loader.exec_module = load_and_wrap
        return spec


sys.meta_path.insert(0, Finder())
