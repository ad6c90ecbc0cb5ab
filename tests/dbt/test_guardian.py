"""The guardian: however the task ends, its command ends too, with all that it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from airflow_provider_pipeline_otel.dbt import guardian

PATIENCE = 20.0
STUBBORN = """
import signal, subprocess, sys, time
for number in {deaf}:
    signal.signal(getattr(signal, number), signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def start(grace: float, *command: str) -> subprocess.Popen[str]:
    """Start a command under a guardian."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__, str(grace), str(os.getpid()), *command],
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )


def is_alive(pid: int) -> bool:
    """Say whether a process is there, and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def gone(pid: int) -> bool:
    """Wait until a process is gone."""
    until = time.monotonic() + PATIENCE
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not is_alive(pid)


@pytest.mark.parametrize("code", [0, 1, 2, 77])
def test_the_exit_code_is_the_commands(code: int) -> None:
    """And what it prints is passed on."""
    program = f"print('words'); raise SystemExit({code})"
    with start(1, sys.executable, "-c", program) as process:
        assert process.communicate(timeout=PATIENCE)[0] == "words\n"
        assert process.returncode == code


def test_a_command_that_dies() -> None:
    """As a shell says it."""
    with start(1, sys.executable, "-c", "import os; os.kill(os.getpid(), 9)") as process:
        assert process.wait(PATIENCE) == 128 + signal.SIGKILL


def test_a_command_that_is_not_there() -> None:
    """127, and words that name the option."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", guardian.__file__, "1", str(os.getpid()), "/no/such/dbt"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 127
    assert "'/no/such/dbt' can't be started" in done.stderr
    assert "set dbt_executable" in done.stderr


@pytest.mark.parametrize("deaf", [(), ("SIGINT",), ("SIGINT", "SIGTERM")], ids=["", "INT", "TERM"])
def test_told_to_end(deaf: tuple[str, ...]) -> None:
    """SIGINT, then SIGTERM, then SIGKILL; what the command has started ends with it."""
    with start(0.5, sys.executable, "-c", STUBBORN.format(deaf=deaf)) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) != 0
        assert gone(child)


def test_a_parent_that_is_killed() -> None:
    """No code of its own runs there any more, and the command is gone all the same."""
    program = (
        "import os, subprocess, sys\n"
        f"command = [sys.executable, '-I', '-S', {guardian.__file__!r}, '1', str(os.getpid()),"
        f" sys.executable, '-c', {STUBBORN.format(deaf=())!r}]\n"
        "subprocess.Popen(command, start_new_session=True).wait()\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
        parent.wait()
        assert gone(child)
