"""Processes with process ids of their own, as in a container."""

from __future__ import annotations

import subprocess
from typing import Final

from tests.environments import skip_without

CONTAINER: Final = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""Stands before a command; the process that it starts is the command's parent."""


def skip_without_containers() -> None:
    """Skip the test, and say why, where none can be had; mostly since we aren't root."""
    try:
        tried = subprocess.run([*CONTAINER, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        skip_without("containers", "no unshare: install util-linux")
    if tried.returncode:
        skip_without("containers", tried.stderr.strip())
