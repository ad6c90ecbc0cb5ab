"""Branches, mappings, groups, odd names, and runs that start other runs."""

from __future__ import annotations

from airflow_versions import (
    CANARY,
    Asset,
    BranchPythonOperator,
    EmptyOperator,
    PythonOperator,
    ShortCircuitOperator,
    TaskGroup,
    TriggerDagRunOperator,
    python_task,
    truth_dag,
)


def choose() -> str:
    """Go left."""
    return "left"


def stop() -> bool:
    """Let nothing follow."""
    return False


def fail_in_the_middle(index: int) -> None:
    """Raise for one of three."""
    if index == 1:
        raise KeyError(CANARY)


def nothing() -> list[list[int]]:
    """Return nothing to map over."""
    return []


with truth_dag("branch"):
    branching = BranchPythonOperator(task_id="branching", python_callable=choose)
    join = python_task("join", trigger_rule="none_failed_min_one_success")
    branching >> [python_task("left"), python_task("right")] >> join

with truth_dag("short_circuit"):
    (
        ShortCircuitOperator(task_id="stopper", python_callable=stop)
        >> python_task("never")
        >> EmptyOperator(task_id="never_either")
    )

with truth_dag("only_empty"):
    EmptyOperator(task_id="start") >> EmptyOperator(task_id="end")

with truth_dag("mapped"):
    (
        PythonOperator.partial(task_id="each", python_callable=fail_in_the_middle).expand(
            op_args=[[0], [1], [2]]
        )
        >> EmptyOperator(task_id="collect")
    )

with truth_dag("mapped_over_nothing"):
    source = python_task("source", nothing)
    PythonOperator.partial(task_id="each", python_callable=fail_in_the_middle).expand(
        op_args=source.output
    )

with truth_dag("groups"):
    with TaskGroup("north"):
        python_task("load")
    with TaskGroup("south"):
        python_task("load")
        with TaskGroup("inner"):
            python_task("load")

with truth_dag("odd.names-of_dags"):
    python_task("a.b-c_d") >> python_task("a.b-c_d-")

with truth_dag("größe-δ"):
    python_task("データ-πάντα")

# Airflow 2's permissions put four letters before a DAG's name and stop at 250.
with truth_dag("d" * 246):
    python_task("t" * 250)

with truth_dag("trigger_parent"):
    TriggerDagRunOperator(
        task_id="starter",
        trigger_dag_id="trigger_child",
        trigger_run_id="child-of-{{ run_id }}",
        conf={"secret": CANARY},
    )

with truth_dag("trigger_child"):
    python_task("work")

SHARED = Asset("truth-shared")

with truth_dag("asset_producer"):
    python_task("produce", outlets=[SHARED])

with truth_dag("asset_consumer", schedule=[SHARED]):
    python_task("consume")
