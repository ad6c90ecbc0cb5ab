"""A real, headless Airflow of any supported version: scheduler, triggerer, API server."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias
from urllib.parse import quote

from demo.database import query, sqlite_url, use_write_ahead_log
from demo.environment import FIRST_MAJOR, airflow_environment
from demo.processes import free_port, groups_below, has_ended, reap, signal_group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from demo.database import Row

Json: TypeAlias = Any
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 20.0
FINAL_STATES: Final = ("success", "failed")
_CELERY: Final = ("worker", "--concurrency", "6", "--skip-serve-logs", "--without-mingle")
_READ_VERSION = (
    "from importlib.metadata import distributions as d;"
    "v={x.metadata['Name'].lower():x.version for x in d()};"
    "print(v.get('apache-airflow-core') or v['apache-airflow'])"
)


class AirflowError(RuntimeError):
    """Airflow did not do what it was asked to."""


class AirflowInstance:
    """One Airflow in a folder of its own, with its own process groups and ports."""

    def __init__(
        self,
        virtual_environment: Path,
        home: Path,
        dags: Path,
        *,
        database_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        environment_of: Callable[[str], Mapping[str, str]] = lambda _: {},
        parallelism: int = 8,
        schedulers: int = 1,
        celery_workers: int = 0,
    ) -> None:
        """Prepare the folder; nothing runs before `start`.

        `environment_of`: what a component has besides, by its name; `scheduler@2` is the second.
        """
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.python = virtual_environment / "bin" / "python"
        self._command = str(virtual_environment / "bin" / "airflow")
        self.version = self._run([str(self.python), "-c", _READ_VERSION]).stdout.strip()
        self.major = int(self.version.partition(".")[0])
        self.database_url = database_url or sqlite_url(home / "airflow.db")
        self.port = free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = airflow_environment(
            virtual_environment=virtual_environment,
            home=home,
            dags=dags,
            database_url=self.database_url,
            port=self.port,
            major=self.major,
            parallelism=parallelism,
            extra=environment or {},
        )
        self._environment_of = environment_of
        self.schedulers = ["scheduler", *(f"scheduler@{n}" for n in range(2, schedulers + 1))]
        self._celery_workers = [f"celery@{number}" for number in range(1, celery_workers + 1)]
        self._token = ""
        self._console: subprocess.Popen[str] | None = None
        self._one_hand = threading.Lock()

    @property
    def is_airflow_2(self) -> bool:
        """Whether this is Airflow 2, which has no API server here."""
        return self.major == FIRST_MAJOR

    def start(self, *, dag_ids: int = 1) -> None:
        """Migrate the database, start all components, wait until that many DAGs can be run."""
        self._run([self._command, "db", "migrate"], check=True)
        use_write_ahead_log(self.database_url)
        if not self.is_airflow_2:
            self.spawn("api-server", "--host", "127.0.0.1", "--port", str(self.port))
            self.spawn("dag-processor")
        for scheduler in self.schedulers:
            self.spawn(scheduler)
        for worker in self._celery_workers:
            self.spawn(worker, *_CELERY, "--celery-hostname", f"{worker}.%h", "--pid", worker)
        self.spawn("triggerer")
        if not self.is_airflow_2:
            self._until(self._answers, "the API server to answer")
        parsed = "SELECT COUNT(DISTINCT dag_id) AS count FROM serialized_dag"
        self._until(lambda: self.query(parsed)[0]["count"] >= dag_ids, f"{dag_ids} parsed DAGs")
        self._until(self._scheduler_runs, "the scheduler to run")

    def stop(self) -> None:
        """End every process group that was started, by force after a while."""
        if self._console is not None:
            self._console.kill()
            self._console.communicate()
            self._console = None
        groups = {process.pid: groups_below(process) for process in self.processes.values()}
        for name in self.processes:
            self.send_signal(name, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self.processes:
            _, process = self.processes.popitem()
            reap(process, deadline, groups[process.pid])

    def spawn(self, component: str, *arguments: str) -> None:
        """Start one component as a process group of its own, with its log in the folder."""
        with (self.home / f"{component}.log").open("ab") as log:
            self.processes[component] = subprocess.Popen(
                [self._command, component.partition("@")[0], *arguments],
                cwd=self.home,
                env=self.environment
                | self._database_of(component)
                | dict(self._environment_of(component)),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def send_signal(self, component: str, number: signal.Signals) -> None:
        """Send a signal to one component's whole process group."""
        signal_group(self.processes[component].pid, number)

    def end(self, component: str, number: signal.Signals = signal.SIGTERM) -> None:
        """End one component, with all that is left of its process group."""
        process = self.processes.pop(component)
        groups = groups_below(process)
        process.send_signal(number)
        reap(process, time.monotonic() + STOP_SECONDS, groups)

    def restart(
        self, component: str, number: signal.Signals = signal.SIGTERM, *, pause: float = 0.0
    ) -> None:
        """End one component and start it anew."""
        self.end(component, number)
        time.sleep(pause)
        self.spawn(component)

    def exited(self) -> list[str]:
        """Return the components that ended though nobody asked them to."""
        return [name for name, process in list(self.processes.items()) if has_ended(process)]

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, object] | None = None) -> None:
        """Start one run."""
        settings = dict(conf or {})
        if self.is_airflow_2:
            self.command("trigger", dag_id=dag_id, run_id=run_id, conf=settings)
            return
        body = {"dag_run_id": run_id, "logical_date": None, "conf": settings}
        self.rest("POST", f"/dags/{quote(dag_id, safe='')}/dagRuns", body)

    def wait(self, dag_id: str, run_id: str, timeout: float = 180.0) -> str:
        """Wait for a run's end and return its state."""
        self._until(
            lambda: self.state(dag_id, run_id) in FINAL_STATES, f"{dag_id}/{run_id} to end", timeout
        )
        return self.state(dag_id, run_id) or ""

    def state(self, dag_id: str, run_id: str) -> str | None:
        """Return a run's state, None where there is no such run."""
        statement = "SELECT state FROM dag_run WHERE dag_id = ? AND run_id = ?"
        return next((row["state"] for row in self.query(statement, dag_id, run_id)), None)

    def query(self, statement: str, *parameters: object) -> list[Row]:
        """Ask the metadata database; reading only."""
        return query(self.database_url, statement, *parameters)

    def airflow(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of Airflow's to its end."""
        return self._run([self._command, *arguments])

    def rest(self, method: str, path: str, body: object = None) -> Json:
        """Call the public REST API of Airflow 3 (`path` below /api/v2) and return its JSON.

        One at a time, because requests that hold SQLite's one write lock and wait for a second
        connection of the same pool stop all of Airflow. A 5xx is tried again.
        """
        for attempt in range(5):
            try:
                with self._one_hand:
                    return self._request(method, f"/api/v2{path}", body)
            except TimeoutError:
                answer = "no answer"
            except urllib.error.HTTPError as error:
                answer = f"{error.code} {error.read().decode(errors='replace')[:400]}"
                if attempt and error.code == HTTPStatus.CONFLICT:  # the failed try did its work
                    return None
                if error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    break
                time.sleep(1.0)
        message = f"{method} {path}: {answer}"
        raise AirflowError(message)

    def command(self, name: str, **arguments: object) -> None:
        """Let an in-process script of Airflow 2 trigger, mark or clear."""
        with self._one_hand:
            if self._console is None:
                self._console = self._open_console()
            print(json.dumps([name, arguments]), file=self._console.stdin, flush=True)
            answer = self._console.stdout.readline() if self._console.stdout else ""
        if not answer or json.loads(answer):
            message = f"{name} {arguments}: {answer or 'no answer'}"
            raise AirflowError(message)

    def __enter__(self) -> Self:
        """Start with whatever DAGs there are."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all processes."""
        self.stop()

    def _database_of(self, component: str) -> dict[str, str]:
        """Let all but the API server wait long for SQLite's one writer.

        A scheduler that gives up after the usual 5 s ends. The API server writes its audit log in
        its event loop, which then waits for a writer that can't commit without that loop: only
        giving up frees them, so it had better be soon.
        """
        if not self.database_url.startswith("sqlite"):
            return {}
        seconds = 1 if component == "api-server" else 60
        return {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"{self.database_url}?timeout={seconds}"}

    def _open_console(self) -> subprocess.Popen[str]:
        with (self.home / "console.log").open("ab") as log:
            return subprocess.Popen(
                [str(self.python), str(Path(__file__).with_name("console.py"))],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def _run(self, command: list[str], *, check: bool = False) -> subprocess.CompletedProcess[str]:
        environment = getattr(self, "environment", None)
        # From another folder: the checkout's source must not stand before the installed package.
        done = subprocess.run(
            command, cwd=self.home, env=environment, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            message = f"{' '.join(command[-2:])}: {done.stdout[-1500:]}{done.stderr[-3000:]}"
            raise AirflowError(message)
        return done

    def _request(self, method: str, path: str, body: object) -> Json:
        headers = {"Content-Type": "application/json"}
        if not path.startswith("/auth"):
            self._token = self._token or self._log_in()
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            headers=headers,
            data=None if body is None else json.dumps(body).encode(),
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as response:
            return json.loads(response.read() or b"null")

    def _log_in(self) -> str:
        token: str = self._request("GET", "/auth/token", None)["access_token"]
        return token

    def _answers(self) -> bool:
        return bool(self._request("GET", "/auth/token", None))

    def _scheduler_runs(self) -> bool:
        statement = "SELECT 1 FROM job WHERE job_type = 'SchedulerJob' AND state = 'running'"
        return bool(self.query(statement))

    def _until(
        self, condition: Callable[[], bool], what: str, timeout: float = START_SECONDS
    ) -> None:
        deadline = time.monotonic() + timeout
        problem = ""
        while time.monotonic() < deadline:
            try:
                if condition():
                    return
            except OSError as error:
                problem = f" ({error})"
            time.sleep(0.2)
        message = f"waited {timeout:.0f} s for {what}{problem}"
        raise AirflowError(message)
