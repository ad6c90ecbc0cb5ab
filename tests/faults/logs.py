"""What tasks and schedulers have logged, without what differs from run to run."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

OURS: Final = "pipeline_otel"
BY_CHANCE: Final = "stop collecting metrics"
"""Airflow 2 says so where its look at a process every few seconds meets it no more."""

_VARYING: Final = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:.+Z]+|\d{8}T\d{6}|0x[0-9a-f]+|--cfg-path', '[^']+"
    r"|--job-id', '\d+|Job \d+|job \d+|\d+\.\d+|\d{3,}"
)
_RECORD: Final = re.compile(r"^\[[^\]]+\] (\{\S+\} \w+ - .*)$")


@dataclass(frozen=True)
class TaskLog:
    """The log of one try: Airflow's and the task's own records, and ours."""

    lines: tuple[str, ...]
    ours: tuple[str, ...]


def read_task_log(path: Path, run_id: str) -> TaskLog:
    """Read the log of one try, in the form of Airflow 2 or 3."""
    text = path.read_text()
    records = _json_records(text) if text.startswith("{") else _text_records(text)
    others = [line for line in records if OURS not in line and BY_CHANCE not in line]
    lines = [_VARYING.sub("#", line.replace(run_id, "RUN")) for line in others]
    return TaskLog(tuple(sorted(lines)), tuple(line for line in records if OURS in line))


def _json_records(text: str) -> list[str]:
    found = []
    for line in text.splitlines():
        record = json.loads(line)
        errors = [error["exc_type"] for error in record.get("error_detail") or ()]
        found.append(f"{record['level']} {record.get('logger')} {record['event']} {errors}")
    return found


def _text_records(text: str) -> list[str]:
    """Take each record's first line, and the last one of its traceback."""
    found: list[str] = []
    for line in text.splitlines():
        start = _RECORD.match(line)
        if start:
            found.append(start[1])
        elif found and not line.startswith(" ") and OURS not in found[-1]:
            found[-1] = found[-1].partition(" | ")[0] + f" | {line}"
    return found


def repeated_warnings(text: str) -> list[str]:
    """Return those of our warnings that a process's log holds more than once."""
    said = Counter(
        _VARYING.sub("#", line)
        for line in text.splitlines()
        if OURS in line and re.search(r"\[warning|WARNING", line)
    )
    return [line for line, count in said.items() if count > 1]


def exit_codes(text: str) -> dict[str, str]:
    """Return exit code and final state by task instance id, as Airflow 3's supervisors log them."""
    pattern = r"exit_code=(\S+) final_state=(\S+).*?(?:workload_id|task_instance_id)=(\S+)"
    return {
        found[3].replace("-", ""): f"{found[1]} {found[2]}"
        for found in re.finditer(pattern, re.sub(r"\x1b\[[0-9;]*m", "", text))
    }
