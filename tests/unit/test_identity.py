"""Ids are the same in every process, and different for everything that is different."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_pipeline_otel.identity import (
    span_id_of_run,
    span_id_of_try,
    trace_id_of_run,
)

START = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
RUNS = st.tuples(st.text(), st.text(), st.datetimes(timezones=st.just(UTC)))
TRIES = st.tuples(st.text(), st.integers(-1, 10_000), st.integers(1, 100))


def test_the_scheme_does_not_change() -> None:
    """Workers of one version and a scheduler of the next must meet in one trace."""
    trace_id = trace_id_of_run("dag", "run", START)
    assert trace_id.hex() == "9424ca14544e01f2bfdb9f721f0209cc"
    assert span_id_of_run(trace_id).hex() == "8cff6b9b95c7a4fe"
    assert span_id_of_try(trace_id, "task", -1, 1).hex() == "c25cf4caa6cdbbaa"


@given(st.sets(RUNS, min_size=2, max_size=4))
def test_runs_differ(runs: set[tuple[str, str, datetime]]) -> None:
    """By DAG, run and start, whatever the names hold."""
    assert len({trace_id_of_run(*run) for run in runs}) == len(runs)


@given(st.binary(min_size=16, max_size=16), st.sets(TRIES, min_size=2, max_size=4))
def test_tries_differ(trace_id: bytes, tries: set[tuple[str, int, int]]) -> None:
    """By task, map index and number, and none has the root's id."""
    ids = {span_id_of_try(trace_id, *which) for which in tries} | {span_id_of_run(trace_id)}
    assert len(ids) == len(tries) + 1


def test_names_do_not_run_into_each_other() -> None:
    """`("a", "bc")` is another run than `("ab", "c")`."""
    assert trace_id_of_run("a", "bc", START) != trace_id_of_run("ab", "c", START)


def test_a_time_is_the_same_in_every_zone() -> None:
    """SQLite gives times without a zone, PostgreSQL in the server's: all mean UTC's instant."""
    paris = START.astimezone(timezone(timedelta(hours=1)))
    naive = START.replace(tzinfo=None)
    ids = {trace_id_of_run("d", "r", start) for start in (START, paris, naive)}
    assert len(ids) == 1


def test_a_microsecond_makes_another_incarnation() -> None:
    """A cleared run starts anew, however soon."""
    later = START + timedelta(microseconds=1)
    assert trace_id_of_run("d", "r", START) != trace_id_of_run("d", "r", later)
