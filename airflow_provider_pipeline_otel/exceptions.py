"""Exceptions: what a span says of them; its texts are redacted on their way to disk."""

from __future__ import annotations

from airflow_provider_pipeline_otel.semconv import attributes as names


def type_of(error: object) -> str:
    """Return the class's name; Airflow 2.11 hands over a text for sys.exit()."""
    if isinstance(error, str):
        return "SystemExit" if "SystemExit" in error else "_OTHER"
    return type(error).__name__


def describe(error: object) -> dict[str, str]:
    """Return the attributes of an `exception` event: class, message, stack trace."""
    said = {names.EXCEPTION_TYPE: type_of(error)}
    if isinstance(error, BaseException):
        import traceback

        # Not `format_exception`: a class's own `__str__` may raise, and this one minds that.
        formatted = traceback.TracebackException.from_exception(error)
        said[names.EXCEPTION_MESSAGE] = str(formatted)
        said[names.EXCEPTION_STACKTRACE] = "".join(formatted.format())
    return said
