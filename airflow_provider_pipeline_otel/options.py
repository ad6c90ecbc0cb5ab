"""Options of [pipeline_otel]: where they are read, and what is made of their text."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from re import Pattern
from typing import Final

from airflow_provider_pipeline_otel.provider_info import OPTIONS, SECTION

log = logging.getLogger(__name__)

Option = Callable[[str], str | None]
"""Returns an option of [pipeline_otel] as text, or None where nobody has set it."""

_CHOICES: Final = {"capture_exception_message": ("redacted", "type_only", "off")}
_TRUE: Final = frozenset({"true", "t", "1", "yes", "y", "on"})
_FALSE: Final = frozenset({"false", "f", "0", "no", "n", "off", ""})


def environment_option(environ: Mapping[str, str]) -> Option:
    """Return an `Option` that reads AIRFLOW__PIPELINE_OTEL__…, for where Airflow isn't."""
    return lambda name: environ.get(f"AIRFLOW__{SECTION}__{name}".upper())


def airflow_cfg_option(environ: Mapping[str, str] = os.environ) -> Option:
    """Return an `Option` that reads the environment, then airflow.cfg, without Airflow."""
    from configparser import ConfigParser, Error

    file = environ.get("AIRFLOW_CONFIG") or airflow_home(environ) / "airflow.cfg"
    parser = ConfigParser(strict=False)
    try:
        parser.read(Path(file).expanduser(), encoding="utf-8")
    except (Error, ValueError) as error:
        log.warning("%s can't be read (%s): its options are ignored.", file, type(error).__name__)
        parser.clear()
    of_environment = environment_option(environ)

    def option(name: str) -> str | None:
        found = of_environment(name)
        return parser.get(SECTION, name, fallback=None, raw=True) if found is None else found

    return option


def airflow_home(environ: Mapping[str, str]) -> Path:
    """Return AIRFLOW_HOME, or what Airflow takes for it."""
    return Path(environ.get("AIRFLOW_HOME") or home(environ) / "airflow").expanduser()


def home(environ: Mapping[str, str]) -> Path:
    """Return the user's folder."""
    return Path(environ.get("HOME") or "/")


class Options:
    """The options as values; what can't be read is warned of and left at its default."""

    def __init__(self, option: Option) -> None:
        self._option = option

    def text(self, name: str) -> str:
        """Return an option's text."""
        found = self._option(name)
        return OPTIONS[name]["default"] if found is None else found.strip()

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words of a list that commas, spaces or lines divide."""
        return tuple(self.text(name).replace(",", " ").split())

    def boolean(self, name: str) -> bool:
        """Return an option that is on or off."""
        text = self.text(name).lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        default = OPTIONS[name]["default"]
        _warn(name, text, "neither True nor False", default)
        return default.lower() in _TRUE

    def number(self, name: str, most: float = sys.float_info.max) -> float:
        """Return a number from 0 to `most`."""
        text, default = self.text(name), OPTIONS[name]["default"]
        value = _number(text)
        if value is None or value > most:
            wanted = "of 0 or more" if most == sys.float_info.max else f"from 0 to {most:g}"
            _warn(name, text, f"not a number {wanted}", default)
            return float(default)
        return value

    def shares(self, name: str) -> tuple[tuple[str, float], ...]:
        """Return shares from 0 to 1 by pattern: `pattern=share, …`."""
        found = []
        for word in self.words(name):
            pattern, _, text = word.rpartition("=")
            share = _number(text)
            if pattern and share is not None and share <= 1:
                found.append((pattern, share))
            else:
                _warn(name, word, "not pattern=share with a share from 0 to 1", "nothing for it")
        return tuple(found)

    def choice(self, name: str) -> str:
        """Return one of a few words."""
        text = self.text(name).lower()
        if text in _CHOICES[name]:
            return text
        default = OPTIONS[name]["default"]
        _warn(name, text, f"none of {', '.join(_CHOICES[name])}", default)
        return default

    def patterns(self, name: str) -> tuple[Pattern[str], ...]:
        """Return regular expressions, one a line."""
        found = []
        for text in filter(None, map(str.strip, self.text(name).splitlines())):
            try:
                found.append(re.compile(text))
            except re.error as error:
                _warn(name, text, f"no regular expression ({error})", "none for it")
        return tuple(found)


def _number(text: str) -> float | None:
    """Return a number of 0 or more, None where there is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _warn(name: str, text: str, fault: str, default: str) -> None:
    log.warning(
        "[%s] %s = %r is %s; %s is used. Set it in airflow.cfg or in AIRFLOW__%s__%s, e.g. to %s.",
        SECTION,
        name,
        text,
        fault,
        default,
        SECTION.upper(),
        name.upper(),
        OPTIONS[name]["example"],
    )
