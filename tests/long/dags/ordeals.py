"""What the ordeals run: many tasks; tasks that are killed; secrets wherever they can be put."""

import json
import logging
import os
import random
import signal
import threading
import time
from pathlib import Path

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, BaseHook
from opentelemetry import trace

from airflow_provider_pipeline_otel import pipeline_stage

FOLDER = Path(os.environ["ORDEAL_FOLDER"])
CANARIES = FOLDER / "canaries.json"
CANARY = {"texts": ["none"], "messages": []}
if CANARIES.exists():
    CANARY = json.loads(CANARIES.read_text())


def work(number):
    with pipeline_stage("stage") as stage:
        stage.add_records(written=number)


def die(number):
    """Begin and end stages, three or more of them open, until somebody kills the process."""
    diary = os.open(FOLDER / f"ended-{number}", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    random.seed(number)

    def kill() -> None:
        time.sleep(random.uniform(0.0, 1.5))
        os.kill(os.getpid(), signal.SIGKILL)

    with pipeline_stage(f"a{number}"), pipeline_stage(f"b{number}"), pipeline_stage(f"c{number}"):
        threading.Thread(target=kill, daemon=True).start()
        step = 0
        while True:
            name = f"leaf{number}.{step}"
            with pipeline_stage(f"d{number}.{step}"):
                with pipeline_stage(name):
                    pass
                os.write(diary, f"{name}\n".encode())
            os.write(diary, f"d{number}.{step}\n".encode())
            step += 1
            time.sleep(random.uniform(0.0, 0.02))


def leak(text, params, dag_run, ti):
    """Put a secret wherever a span may meet it, and fail with it."""
    ti.xcom_push("secret", text)
    connection = BaseHook.get_connection("secret")
    logging.getLogger(__name__).warning("%s %s", text, connection.password)
    tracer = trace.get_tracer("shop")
    with (
        pipeline_stage("leaks", attributes={"note": text, "list": [text, text]}) as stage,
        tracer.start_as_current_span("user", attributes={"said": text}) as span,
    ):
        stage.set_partition_key(text)
        span.add_event("seen", {"text": text, "conf": str(dag_run.conf), "params": str(params)})
        span.add_link(trace.SpanContext(1, 2, is_remote=True), {"why": text})
        span.set_status(trace.StatusCode.ERROR, text)
        span.record_exception(RuntimeError(f"{connection.password}"))
        try:
            raise ValueError(text)
        except ValueError as error:
            raise RuntimeError(text) from error


def raise_it(text):
    """Fail with what a library would say, with rows and values in it."""
    with pipeline_stage("fails"), trace.get_tracer("shop").start_as_current_span("user"):
        try:
            raise KeyError(text)
        except KeyError as error:
            raise RuntimeError(text) from error


with DAG("many", schedule=None, max_active_tasks=64):
    PythonOperator.partial(task_id="task", python_callable=work).expand(
        op_args=[[number] for number in range(200)]
    )
with DAG("deadly", schedule=None, max_active_tasks=64):
    PythonOperator.partial(task_id="task", python_callable=die).expand(
        op_args=[[number] for number in range(100)]
    )
with DAG("leaky", schedule=None, max_active_tasks=64, params={"secret": CANARY["texts"][0]}):
    for index, secret in enumerate(CANARY["texts"]):
        kwargs = {"text": secret}
        PythonOperator(task_id=f"task{index}", python_callable=leak, op_kwargs=kwargs)
    for index, message in enumerate(CANARY["messages"]):
        PythonOperator(task_id=f"fail{index}", python_callable=raise_it, op_args=[message])
