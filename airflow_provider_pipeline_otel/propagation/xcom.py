"""Context over XCom: a small dict of W3C headers under one key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link

from airflow_provider_pipeline_otel.guard import warn_once
from airflow_provider_pipeline_otel.semconv import attributes

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

KEY: Final = "otel_trace_context"
"""The XCom key."""

_MAX_BYTES: Final = 8192
"""W3C lets tracestate and baggage together be this long at most; longer is hostile."""


def inject(carrier: MutableMapping[str, str], *, context: Context | None = None) -> None:
    """Write the context (default: the current one) into the carrier, as W3C headers."""
    propagate.inject(carrier, context=context)


def extract(carrier: object) -> Context:
    """Return the context that a carrier holds; an empty one if it holds none.

    A process warns of the first that holds none.
    """
    if isinstance(carrier, Mapping):
        headers = {
            key: value
            for key, value in carrier.items()
            if isinstance(key, str) and isinstance(value, str)
        }
        if sum(map(len, headers.values())) <= _MAX_BYTES:
            context = propagate.extract(headers, context=Context())
            if trace.get_current_span(context).get_span_context().is_valid:
                return context
    warn_once(
        "XCom %s holds no W3C trace context but a %s; ignored. Leave that key to XComContextMixin.",
        KEY,
        type(carrier).__name__,
    )
    return Context()


def links(carriers: Iterable[object]) -> list[Link]:
    """Return a link for each carrier that holds a context."""
    said: dict[str, AttributeValue] = {attributes.AIRFLOW_LINK_TYPE: "upstream"}
    found = (trace.get_current_span(extract(carrier)).get_span_context() for carrier in carriers)
    return [Link(context, said) for context in found if context.is_valid]
