"""What a process notes of itself while it lives, and what killed it, by whoever finds it dead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

_GROUPS: Final = Path("/proc/self/cgroup")
_MOUNT: Final = Path("/sys/fs/cgroup")
_COUNTER: Final = "oom_kill "
_NAMESPACES: Final = (Path("/proc/self/ns/pid"), Path("/proc/self/ns/cgroup"))
"""Where process ids and paths of control groups mean what they say: a container's own, mostly."""

OOM: Final = "oom"
HEARTBEAT: Final = "heartbeat"
KILLED: Final = "killed"
TERMINATED: Final = "terminated"


class ProcessFacts(msgspec.Struct, frozen=True):
    """How many processes of its control group had been killed for memory, and who watches over it.

    `supervisor` and `supervisor_start`: process id, and start in clock ticks since the system's;
    0 where its end would tell nothing. `namespaces`: outside of them, all this tells nothing.
    """

    oom_file: str = ""
    oom_kills: int = 0
    supervisor: int = 0
    supervisor_start: int = 0
    namespaces: str = ""


def facts_of_this_process(*, supervisor_lives_on: bool) -> ProcessFacts:
    """Return the facts of this process; `supervisor_lives_on`: its parent outlives many like it."""
    file, kills = next(_oom_counters(), ("", 0))
    supervisor = os.getppid() if supervisor_lives_on else 0
    start = _start_of(supervisor) if supervisor else 0
    return ProcessFacts(file, kills, supervisor, start, _namespaces())


def exit_reason_of(facts: ProcessFacts) -> str:
    """Return why a process with these facts is dead that has not said that it ends.

    `oom` where the kernel has killed in its control group for memory meanwhile, `heartbeat` where
    its supervisor is dead too, else `killed`. A sidecar that looks from another container sees
    neither.
    """
    if facts.namespaces != _namespaces():
        return KILLED
    if facts.oom_file and (_read_kills(Path(facts.oom_file)) or 0) > facts.oom_kills:
        return OOM
    if facts.supervisor and _start_of(facts.supervisor) != facts.supervisor_start:
        return HEARTBEAT
    return KILLED


def _namespaces() -> str:
    try:
        return " ".join(map(os.readlink, _NAMESPACES))
    except OSError:
        return ""


def _oom_counters() -> Iterator[tuple[str, int]]:
    """Yield the counter of this process's control group, by version 2, or 1, of cgroups."""
    for line in _read(_GROUPS).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            files = [_MOUNT / path.strip("/") / "memory.events"]
        elif "memory" in controllers.split(","):
            # In a container, the group is mounted as the root.
            found = _MOUNT / "memory"
            files = [found / path.strip("/") / "memory.oom_control", found / "memory.oom_control"]
        else:
            continue
        for file in files:
            kills = _read_kills(file)
            if kills is not None:
                yield str(file), kills


def _read_kills(file: Path) -> int | None:
    for line in _read(file).splitlines():
        if line.startswith(_COUNTER):
            return int(line.removeprefix(_COUNTER))
    return None


def _start_of(pid: int) -> int:
    """Return when a process started, 0 where there is none: ids come again."""
    words = _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return int(words[19]) if len(words) > 19 and words[0] != "Z" else 0  # noqa: PLR2004  proc(5)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
