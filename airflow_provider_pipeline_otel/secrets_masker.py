"""Airflow's secrets masker: what it hides from logs is hidden from spans."""

from __future__ import annotations

import sys
from re import Pattern
from typing import Any, Final

_MODULES: Final = (
    "airflow.sdk._shared.secrets_masker.secrets_masker",  # 3.1 and later, in tasks
    "airflow._shared.secrets_masker.secrets_masker",  # 3.1 and later, elsewhere
    "airflow.sdk.execution_time.secrets_masker",  # 3.0
    "airflow.utils.log.secrets_masker",  # 2.11
)


def hand_down() -> None:
    """Let the redaction know the secrets that this process learns, now and later.

    Only modules count that Airflow itself has loaded: without them it has met no secret.
    """
    from airflow_provider_pipeline_otel.export.redaction import use_secrets_of

    maskers = [masker for name in _MODULES if (masker := _masker_of(name)) is not None]

    def replacers() -> tuple[Pattern[str], ...]:
        return tuple(masker.replacer for masker in maskers if masker.replacer is not None)

    use_secrets_of(replacers)


def _masker_of(name: str) -> Any:  # noqa: ANN401
    # `vars`, not `getattr`: in 3.1 a module of 3.0's name warns of each access.
    find = vars(sys.modules[name]).get("_secrets_masker") if name in sys.modules else None
    try:
        masker = find() if find is not None else None
    except RuntimeError:  # 2.11, where logging isn't set up
        return None
    return masker if hasattr(masker, "replacer") else None
