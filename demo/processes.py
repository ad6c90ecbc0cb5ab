"""Process groups and ports of a running Airflow: whose they are, how they end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time


def signal_group(group: int, number: signal.Signals) -> None:
    """Send a signal to all processes of a group, if there are any left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def groups_below(process: subprocess.Popen[bytes]) -> set[int]:
    """Return the process groups of a component's descendants: Airflow 2's tasks have their own."""
    listing = subprocess.run(
        [shutil.which("ps") or "/bin/ps", "-A", "-o", "pid=,ppid=,pgid="],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
    below = {process.pid}
    # Children are mostly listed after their parents, but ids wrap around.
    for _ in range(4):
        below |= {pid for pid, parent, _ in rows if parent in below}
    return {group for pid, _, group in rows if pid in below and group in below}


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Look without reaping, so that the group's id can't go to anybody else."""
    try:
        look = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, look) is not None
    except ChildProcessError:
        return True


def reap(process: subprocess.Popen[bytes], deadline: float, groups: set[int]) -> None:
    """Wait for a component's end, kill what it left behind, then let its id go."""
    while time.monotonic() < deadline and not has_ended(process):
        time.sleep(0.1)
    for group in groups | {process.pid}:
        signal_group(group, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
