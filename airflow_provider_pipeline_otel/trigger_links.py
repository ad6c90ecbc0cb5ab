"""Links between runs: TriggerDagRunOperator hands the triggering try's trace to the other run."""

from __future__ import annotations

import json
from typing import Any


def hand_over(task: Any, trace_id: bytes, try_id: bytes) -> None:  # noqa: ANN401
    """Put the triggering try into the conf of the run that the task will make, if it makes one."""
    if all(base.__name__ != "TriggerDagRunOperator" for base in type(task).__mro__):
        return
    conf = task.conf
    if isinstance(conf, str):
        try:
            conf = json.loads(conf)
        except ValueError:
            return  # the operator's own error to report
    if conf is None or isinstance(conf, dict):
        traceparent = f"00-{trace_id.hex()}-{try_id.hex()}-01"
        task.conf = {"traceparent": traceparent} | (conf or {})
