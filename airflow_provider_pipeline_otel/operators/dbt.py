"""DbtTracedOperator: dbt from any environment, with a span for each node while it runs."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

try:
    from airflow.sdk import BaseOperator
except ImportError:  # Airflow 2.11
    from airflow.models.baseoperator import BaseOperator  # type: ignore[import-not-found,no-redef]
try:
    from airflow.sdk.exceptions import AirflowException
except ImportError:  # before Airflow 3.2
    from airflow.exceptions import AirflowException  # type: ignore[attr-defined]

from airflow_provider_pipeline_otel.dbt import native
from airflow_provider_pipeline_otel.dbt.command import (
    environment_of,
    target_folder,
    with_state,
    words_of,
)
from airflow_provider_pipeline_otel.dbt.destination import (
    NOT_SAMPLED,
    Destination,
    Parent,
    find_parent,
)
from airflow_provider_pipeline_otel.dbt.folders import TryFolder, tidy
from airflow_provider_pipeline_otel.dbt.live import LiveRun
from airflow_provider_pipeline_otel.dbt.process import DbtProcess
from airflow_provider_pipeline_otel.dbt.rows import DbtSummary
from airflow_provider_pipeline_otel.guard import guarded
from airflow_provider_pipeline_otel.identity import span_id_of_try, trace_id_of_run

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_pipeline_otel.dbt.command import Selection

_NAMED: Final = 20
"""Failed nodes that an error names."""

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""The start of a run that has none."""


class DbtTracedOperator(BaseOperator):
    """Runs dbt, and draws each of its nodes under this task while it runs.

    dbt may live in an environment of its own (`dbt_executable`); Airflow's never imports it.
    `command` is dbt's, of one or more words; `select` and `exclude` are dbt's words or a list,
    `vars` a dict or YAML; `dbt_args` follow. Artifacts and log go to a private folder per try,
    unless DBT_TARGET_PATH or `--target-path` say otherwise. A failing dbt fails the task; warnings
    don't. However the task ends, dbt is gone `kill_grace` + 5 seconds later at most: it gets SIGINT
    first, so that the warehouse's queries end too. With `native_spans` dbt-core 1.12 and later, or
    dbt 2, draws its own spans under this task instead. Returns counts by status and totals.
    """

    template_fields: Sequence[str] = (
        "project_dir",
        "command",
        "select",
        "exclude",
        "vars",
        "target",
        "profiles_dir",
        "dbt_executable",
        "dbt_args",
        "env",
    )
    template_fields_renderers = {"vars": "json", "env": "json"}  # noqa: RUF012  as Airflow has it
    ui_color = "#ffd7c9"

    def __init__(
        self,
        *,
        project_dir: str,
        command: str = "build",
        select: Selection = None,
        exclude: Selection = None,
        vars: Mapping[str, Any] | str | None = None,  # noqa: A002  dbt's own word
        target: str | None = None,
        profiles_dir: str | None = None,
        dbt_executable: str = "dbt",
        dbt_args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        append_env: bool = True,
        native_spans: bool = False,
        kill_grace: float = 25.0,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**kwargs)
        self.project_dir = project_dir
        self.command = command
        self.select = select
        self.exclude = exclude
        self.vars = vars
        self.target = target
        self.profiles_dir = profiles_dir
        self.dbt_executable = dbt_executable
        self.dbt_args = dbt_args
        self.env = env
        self.append_env = append_env
        self.native_spans = native_spans
        self.kill_grace = kill_grace
        self._process: DbtProcess | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Run dbt to its end, whatever that is."""
        ti = context["ti"]
        destination = Destination()
        folder = _try_folder(destination, ti)
        seed = f"{ti.task_id} {ti.map_index} {ti.try_number}"
        try:
            return self._run(folder, destination, _parent(context, destination), seed)
        finally:
            guarded(destination.deliver)()
            folder.keep_partial_parse()
            folder.close()

    def on_kill(self) -> None:
        """End dbt; the guardian goes on should this process be killed before it has ended."""
        if self._process is not None:
            self._process.end()

    def _run(
        self, folder: TryFolder, destination: Destination, parent: Parent, seed: str
    ) -> dict[str, Any]:
        words = with_state(self._words(), folder.previous_target())
        nonce = uuid.uuid4().hex
        environ = environment_of(self._environ(), folder, words, nonce)
        folder.take_partial_parse()
        target = target_folder(environ, words, self.project_dir)
        command = self._command(words, environ)
        run = LiveRun(
            self.command,
            target,
            destination,
            parent,
            seed=seed,
            nonce=nonce,
            native_from=native.first_version(command) if self.native_spans else None,
        )
        guarded(run.begin)()
        if self.native_spans:
            environ |= native.environment_of(run.root, destination.writer.spool.folder, environ)
        process = self._process = DbtProcess(
            command,
            cwd=self.project_dir,
            environ=environ,
            grace=self.kill_grace,
            log=folder.logs / "dbt.log",
            say=self.log.info,
            on_line=guarded(run.read),
        )
        try:
            code = process.follow()
        except BaseException:  # a timeout, or whatever else ends the task
            _finish(run, process.follow_to_end(), interrupted=True)
            raise
        finally:
            process.close()
        summary = _finish(run, code, interrupted=process.was_told_to_end)
        if code != 0:
            raise AirflowException(self._failure(code, summary))
        return summary.to_json()

    def _words(self) -> list[str]:
        return words_of(
            self.command,
            select=self.select,
            exclude=self.exclude,
            variables=self.vars,
            target=self.target,
            project_dir=self.project_dir,
            profiles_dir=self.profiles_dir,
            arguments=self.dbt_args,
        )

    def _command(self, words: list[str], environ: dict[str, str]) -> list[str]:
        if self.native_spans:
            return native.launched(self.dbt_executable, words, environ, self.project_dir)
        return [self.dbt_executable, *words]

    def _environ(self) -> dict[str, str]:
        own = {name: str(value) for name, value in (self.env or {}).items()}
        return {**os.environ, **own} if self.append_env or self.env is None else own

    def _failure(self, code: int | None, summary: DbtSummary) -> str:
        failed = summary.failed
        named = ", ".join(failed[:_NAMED])
        more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        nodes = f": {named}{more}" if failed else "; its log above says why"
        return f"dbt {self.command} failed (exit code {code}){nodes}"


def _parent(context: Context, destination: Destination) -> Parent:
    """Return the span above; without one, as where `execute` is called by hand, that of the try."""
    found = find_parent()
    if found.trace_id or not found.sampled:
        return found
    if not destination.is_enabled:
        return NOT_SAMPLED
    ti: Any = context["ti"]
    started = getattr(context.get("dag_run"), "start_date", None)
    if started is None:
        return Parent(trace_id_of_run(ti.dag_id, ti.run_id, _NEVER), b"", sampled=True)
    trace_id = trace_id_of_run(ti.dag_id, ti.run_id, started)
    try_id = span_id_of_try(trace_id, ti.task_id, ti.map_index, ti.try_number)
    return Parent(trace_id, try_id, sampled=True)


def _try_folder(destination: Destination, ti: Any) -> TryFolder:  # noqa: ANN401
    """Return a folder in the spool's; where that can't be written, in the temporary one."""
    task = (ti.dag_id, ti.task_id, str(ti.map_index))
    spool = destination.writer.spool.folder
    if spool is not None:
        guarded(tidy)(spool / "dbt")
        with suppress(OSError):
            return TryFolder(spool / "dbt", task)
    return TryFolder(Path(tempfile.mkdtemp(prefix="pipeline_otel-")), task)


def _finish(run: LiveRun, code: int | None, *, interrupted: bool) -> DbtSummary:
    found: list[DbtSummary] = []

    @guarded
    def finish() -> None:
        found.append(run.finish(code, interrupted=interrupted))

    finish()
    return found[0] if found else DbtSummary()
