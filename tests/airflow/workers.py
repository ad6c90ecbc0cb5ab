"""The comparison of worker spans with the rows of the tries that they worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.airflow.expectation import ExpectedTry, Incarnation, WorkerHint
    from tests.airflow.judge import Judge
    from tests.airflow.sink import Span

RUN: Final = "airflow.dag_run."
TRY: Final = "airflow.task_instance."


def judge_worker(
    judge: Judge, rule: str, incarnation: Incarnation, expected: ExpectedTry, worker: Span
) -> None:
    """Judge what every process must tell of itself."""
    attributes = worker.attributes
    row = expected.row
    wanted = {
        "airflow.dag_id": incarnation.dag_id,
        "airflow.task_id": row.task_id,
        f"{RUN}run_id": incarnation.run_id,
        f"{TRY}try_number": row.try_number,
        "pipeline.span.level": "skeleton",
    }
    for key, value in wanted.items():
        judge.expect(f"{rule}: worker: {key}", value, attributes.get(key))
    index = attributes.get(f"{TRY}map_index", -1)
    judge.expect(f"{rule}: worker: {TRY}map_index", row.map_index, index)
    for key in ("host.name", "process.pid", "airflow.executor"):
        judge.demand(
            f"{rule}: worker: {key}", holds=bool(attributes.get(key)), expected="a value", got=None
        )
    if not attributes.get("pipeline.interrupted"):
        for key in ("pipeline.process.cpu_time", "pipeline.process.peak_memory"):
            value = attributes.get(key)
            holds = isinstance(value, float | int) and value > 0
            judge.demand(f"{rule}: worker: {key}", holds=holds, expected="> 0", got=value)
    holds = worker.start_ns <= worker.end_ns
    judge.demand(f"{rule}: worker: start ≤ end", holds=holds, expected="≤", got=">")


def judge_worker_ends(
    judge: Judge, rule: str, expected: ExpectedTry, workers: list[Span], hint: WorkerHint
) -> None:
    """Judge how the processes of one try ended: all but the last left it to wait."""
    *earlier, last = workers
    for worker in earlier:
        judge.expect(f"{rule}: worker that waits: status", "UNSET", worker.status)
        interrupted = worker.attributes.get("pipeline.interrupted")
        judge.expect(f"{rule}: worker that waits: interrupted", None, interrupted)
    statuses = expected.statuses if hint.status is None else {hint.status}
    judge.expect_one_of(f"{rule}: last worker: status", sorted(statuses), last.status)
    interrupted = bool(last.attributes.get("pipeline.interrupted"))
    if hint.interrupted is not None:
        judge.expect(f"{rule}: last worker: interrupted", hint.interrupted, interrupted)
    elif hint.status is None:
        judge.expect(f"{rule}: last worker: interrupted", expected=False, got=interrupted)
    if not expected.row.archived:
        pid = last.attributes.get("process.pid")
        judge.expect(f"{rule}: last worker: process.pid", expected.row.pid, pid)
    if last.status == "ERROR" and not interrupted:
        _judge_error(judge, rule, last, hint)
    else:
        told = last.attributes.get("error.type") if last.status == "OK" else None
        judge.expect(f"{rule}: last worker: error.type", None, told)


def _judge_error(judge: Judge, rule: str, worker: Span, hint: WorkerHint) -> None:
    told = str(worker.attributes.get("error.type"))
    if hint.error_type is None:
        judge.demand(f"{rule}: error.type", holds=told != "None", expected="a class", got=told)
    else:
        judge.expect(f"{rule}: error.type", hint.error_type, told.rpartition(".")[2])
    events = [event.name for event in worker.events]
    judge.expect(f"{rule}: one exception event", ["exception"], events)
