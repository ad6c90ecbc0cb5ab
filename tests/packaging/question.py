"""An installed environment that answers questions: Python code in, JSON out."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PACKAGE: Final = "airflow_provider_pipeline_otel"
ON: Final = {"AIRFLOW__PIPELINE_OTEL__ENABLED": "True"}
ENABLED_BUT_DISABLED: Final = ON | {"OTEL_SDK_DISABLED": "true"}


@dataclass(frozen=True)
class Answer:
    """What a process printed and how it ended."""

    code: int
    output: str
    errors: str

    @property
    def value(self) -> Any:
        """Return the JSON in the last line that it printed."""
        assert self.code == 0, self.output + self.errors
        return json.loads(self.output.splitlines()[-1])


@dataclass(frozen=True)
class Installed:
    """An environment's Python, started in a folder that holds none of our sources."""

    python: Path
    home: Path
    environment: Mapping[str, str]

    def ask(self, code: str, *arguments: str, **environment: str) -> Answer:
        """Run code that prints JSON, as a script, so that `arguments` are all that argv adds."""
        script = self.home / "question.py"
        script.write_text(code)
        return self.run(str(self.python), str(script), *arguments, **environment)

    def command(self, name: str, *arguments: str, **environment: str) -> Answer:
        """Run one of the environment's commands."""
        return self.run(str(self.python.with_name(name)), *arguments, **environment)

    def run(self, *command: str, **environment: str) -> Answer:
        """Run a command in the home folder."""
        done = subprocess.run(
            command,
            cwd=self.home,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)
