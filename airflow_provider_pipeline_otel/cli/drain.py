"""pipeline-otel drain: deliver what lies in the spool, once or from now on."""

from __future__ import annotations

import codecs
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_pipeline_otel.cli.telemetry import Telemetry
from airflow_provider_pipeline_otel.export.answers import place_of, words_for_protocol
from airflow_provider_pipeline_otel.export.attempt import Delivered
from airflow_provider_pipeline_otel.export.delivery import deliver
from airflow_provider_pipeline_otel.export.locks import try_lock
from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.export.spool import Spool, private_folder
from airflow_provider_pipeline_otel.export.state import SpoolState, read_state, spools_of_others

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.endpoint import Endpoint
    from airflow_provider_pipeline_otel.export.attempt import Progress

_PERIOD: Final = 1.0
_NEEDED: Final = ("email.utils", "http.client", "ssl", "urllib.request")


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints: this attempt, then the state of the spool after it."""

    interrupted: int
    delivered: int
    refused: int
    segments_left: int
    fault: str | None
    spool: SpoolState


def drain(settings: Settings, *, json: bool = False) -> int:
    """Deliver once and say what came of it; 0: all, 1: something is left, 2: no collector.

    Root does the same for the spools of other users on this host, as those users.
    """
    code = _drain(settings, json=json)
    others = spools_of_others()
    if os.geteuid() == 0:
        codes = [_as_owner(folder, settings, json=json) for folder in others]
        return max([code, *codes])
    for folder in others:
        print(f"{folder} belongs to another user, who (or root) must drain it", file=sys.stderr)
    return code


def _as_owner(folder: Path, settings: Settings, *, json: bool) -> int:
    """Drain in a child that has become the folder's owner: nobody can lead root astray there."""
    for name in _NEEDED:  # that user may not be allowed to read this interpreter's files
        import_module(name)
    codecs.lookup("idna")
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = 1
    try:
        owner = folder.lstat()
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
        print(f"{folder}:", file=sys.stderr)
        code = _drain(settings._replace(spool_dir=folder), json=json)
        sys.stdout.flush()
    except Exception:  # noqa: BLE001  this process ends here, whatever happens
        traceback.print_exc()
    finally:
        os._exit(code)


def _drain(settings: Settings, *, json: bool) -> int:
    spool = Spool(private_folder(settings.spool_dir), settings.caps)
    interrupted = recover(spool)
    endpoint = settings.endpoint
    done = Delivered(segments_left=len(spool.sealed()))
    if endpoint is not None:
        with _progress(len(spool.sealed())) as progress:
            done = deliver(spool, endpoint, asked=True, progress=progress)
    state = read_state(spool, endpoint)
    if json:
        report = _Report(
            interrupted=interrupted,
            delivered=done.spans,
            refused=done.refused,
            segments_left=done.segments_left,
            fault=done.fault,
            spool=state,
        )
        print(msgspec.json.encode(report).decode())
    else:
        _say(interrupted, done, state, endpoint)
    if endpoint is None:
        return 2
    return 1 if done.segments_left else 0


def _say(interrupted: int, done: Delivered, state: SpoolState, endpoint: Endpoint | None) -> None:
    if interrupted:
        print(f"{interrupted} spans of dead processes were ended")
    if endpoint is None:
        print(
            f"{state.segments_waiting} segments stay in {state.spool_dir}: no collector is named. "
            "Set OTEL_EXPORTER_OTLP_ENDPOINT, e.g. to http://localhost:4318.",
            file=sys.stderr,
        )
    else:
        refused = f", {done.refused} refused for good" if done.refused else ""
        left = f"{done.segments_left} segments left"
        print(f"{done.spans} spans accepted by {place_of(endpoint)}{refused}; {left}")
        hint = None if done.fault else words_for_protocol(endpoint)
        if done.fault:
            print(f"{done.fault}; nothing is lost, try again later", file=sys.stderr)
        if hint:
            print(hint, file=sys.stderr)


@contextmanager
def _progress(segments: int) -> Iterator[Progress | None]:
    """Draw a bar where somebody sees it and there is something to wait for."""
    if not segments or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("segments", total=segments)
        yield lambda left: bar.update(task, completed=segments - left)


def watch(settings: Settings, *, with_parent: bool) -> int:
    """Deliver again and again, one process per spool, until a signal or the parent's end.

    Then once more, whatever the mark of a failure says: a sidecar is told to end when its pod's
    task has ended, and the disk goes with the pod.
    """
    spool = Spool(private_folder(settings.spool_dir), settings.caps)
    if spool.folder is None:
        return 2
    parent = os.getppid()
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _: ended.append(signum))
    lock = spool.drain_lock()
    telemetry = Telemetry(settings, spool)
    is_last = False
    while not is_last:
        is_last = bool(ended) or (with_parent and os.getppid() != parent)
        if try_lock(lock):
            recover(spool)
            spool.keep_caps()
            if settings.endpoint is not None:
                left = settings.endpoint.timeout if is_last else float("inf")
                until = time.monotonic() + left
                deliver(spool, settings.endpoint, until, asked=is_last and not with_parent)
            telemetry.report()
        if not is_last:
            time.sleep(_PERIOD)
    return 0
