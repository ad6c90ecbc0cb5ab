"""setup_otel and flush_otel: the SDK, set up once per process, with the first span."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from opentelemetry import metrics, trace
from opentelemetry.metrics._internal import _ProxyMeterProvider

from airflow_provider_pipeline_otel.config import (
    DAG_ID,
    is_sdk_disabled,
    read_settings,
    resource_of,
)
from airflow_provider_pipeline_otel.endpoint import endpoint_of
from airflow_provider_pipeline_otel.export.delivery import deliver, deliver_within
from airflow_provider_pipeline_otel.export.fork_gate import Later
from airflow_provider_pipeline_otel.export.recovery import recover
from airflow_provider_pipeline_otel.export.spool import Spool, private_folder
from airflow_provider_pipeline_otel.export.writer import SpanWriter
from airflow_provider_pipeline_otel.sdk.tracer_provider import Home, PipelineTracerProvider
from airflow_provider_pipeline_otel.stages import SCOPE, set_surroundings

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.trace import Tracer
    from opentelemetry.util.types import AttributeValue

    from airflow_provider_pipeline_otel.config import Settings
    from airflow_provider_pipeline_otel.endpoint import Endpoint
    from airflow_provider_pipeline_otel.record import SpanRecord
    from airflow_provider_pipeline_otel.sdk.metrics import Metrics
    from airflow_provider_pipeline_otel.sdk.processor import SpoolProcessor


_DELIVER_AFTER: Final = 5.0
"""Seconds after the end of a span at which it is delivered, if its process goes on."""


class _Sdk(NamedTuple):
    provider: TracerProvider
    processor: SpoolProcessor
    writer: SpanWriter


class Live:
    """What this process needs for live spans: settings at once, the SDK with the first span."""

    def __init__(self) -> None:
        # A signal handler may want the SDK while the main thread builds it: hence reentrant.
        self._lock = threading.RLock()
        os.register_at_fork(after_in_child=self._renew_lock)
        self._settings: Settings | None = None
        self._read_settings: Callable[[], Settings] = read_settings
        self._provider: TracerProvider | None = None
        self._read_span: Callable[[ReadableSpan], SpanRecord] | None = None
        self._service_name: str | None = None
        self._resource_attributes: dict[str, AttributeValue] = {}
        self._built: _Sdk | None = None
        self._metrics: Metrics | None = None
        self.home: Final = Home()
        self.provider: Final = PipelineTracerProvider(lambda: self.build().provider, self.home)

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()

    def configure(
        self,
        settings: Settings | None = None,
        service_name: str | None = None,
        resource_attributes: Mapping[str, AttributeValue] | None = None,
    ) -> None:
        """Take what is said, until the first span; the first one to say a thing is heard."""
        with self._lock:
            if self._built:
                return
            self._settings = settings or self._settings
            self._service_name = self._service_name or service_name
            self._resource_attributes = dict(resource_attributes or {}) | self._resource_attributes

    def use(
        self,
        provider: TracerProvider,
        read_settings: Callable[[], Settings],
        read_span: Callable[[ReadableSpan], SpanRecord],
    ) -> None:
        """Take a provider that there is already, instead of building one, and how to read spans."""
        with self._lock:
            self._provider, self._read_settings = provider, read_settings
            self._read_span = read_span

    @property
    def settings(self) -> Settings:
        """What Airflow handed down, else what the environment says."""
        if self._settings is None:
            self._settings = self._read_settings()
        return self._settings

    @property
    def is_built(self) -> bool:
        """Whether there was a span to build the SDK for."""
        return self._built is not None

    def resource(self) -> dict[str, AttributeValue]:
        """Return the attributes of this process's resource; the environment has the last word."""
        default = self._service_name or ("airflow" if in_airflow() else "unknown_service:python")
        said: dict[str, AttributeValue] = dict(resource_of(self.settings, default))
        return self._resource_attributes | said

    def build(self) -> _Sdk:
        """Return the SDK's provider, our processor and the writer behind it; build them once."""
        with self._lock:
            if self._built is None:
                self._built = self._build()
            return self._built

    def _build(self) -> _Sdk:
        from airflow_provider_pipeline_otel.sdk.processor import SpoolProcessor, read_span

        settings, resource = self.settings, self.resource()
        spool = Spool(private_folder(settings.spool_dir), settings.caps)
        writer = SpanWriter(spool, resource, settings.redaction)
        # A task's process says later which DAG is its; what a task starts is told so.
        if not in_airflow() or DAG_ID in os.environ:
            writer.sample(settings.sampling.ratio_of_environment())
        soon = None
        if settings.endpoint is not None:
            soon = Later(partial(_hand_over, writer, settings.endpoint), _DELIVER_AFTER).ask
        processor = SpoolProcessor(writer, soon, self._read_span or read_span)
        if self._provider is not None:
            return _Sdk(self._provider, processor, writer)
        provider = _own_provider(resource)
        provider.add_span_processor(processor)
        if not in_airflow():
            _flush_at_exit()
        return _Sdk(provider, processor, writer)

    def flush(self, timeout: float) -> bool:
        """Deliver what has ended and was counted; False: not all of it in `timeout` seconds."""
        until = time.monotonic() + timeout
        delivered = self._flush_spans(timeout)
        if self._metrics is None:
            return delivered
        return self._metrics.flush(until - time.monotonic()) and delivered

    def _flush_spans(self, timeout: float) -> bool:
        if self._built is None:
            return True
        writer = self._built.writer
        writer.close()
        if self.settings.endpoint is None:
            return True
        done = deliver_within(writer.spool, self.settings.endpoint, timeout)
        return done is not None and done.fault is None and not done.segments_left

    def finish(self, timeout: float) -> None:
        """At a task's end: drop what was held back, unless it is wanted, and deliver the rest."""
        if self._built is not None:
            self._built.writer.conclude()
            self.deliver(timeout)

    def deliver(self, timeout: float) -> None:
        """End what dead processes of this host left open, then deliver, if nobody else does."""
        if self._built is not None:
            spool = self._built.writer.spool
            if spool.is_drained():
                self._built.writer.close()  # the scheduler's deliverer does the rest
            else:
                recover(spool)
                spool.keep_caps()
                self.flush(timeout)

    def set_up_metrics(self) -> None:
        """Send metrics too, outside of Airflow, where a collector is named and nobody else does."""
        with self._lock:
            there = isinstance(metrics.get_meter_provider(), _ProxyMeterProvider)
            endpoint = None if in_airflow() or not there else endpoint_of("metrics")
            if endpoint is None:
                return
            from airflow_provider_pipeline_otel.sdk.metrics import Metrics

            self._metrics = Metrics(endpoint, self.resource(), self.settings.redaction)
            metrics.set_meter_provider(self._metrics.provider)
            _flush_at_exit()


def _own_provider(resource: Mapping[str, AttributeValue]) -> TracerProvider:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    from airflow_provider_pipeline_otel.sdk.id_generator import SystemIdGenerator

    return TracerProvider(
        resource=Resource(resource), id_generator=SystemIdGenerator(), shutdown_on_exit=False
    )


live: Final = Live()


def _hand_over(writer: SpanWriter, endpoint: Endpoint) -> bool:
    """Seal what has ended, and deliver it, unless another process does nothing else.

    True: something is left, for another attempt while this process goes on.
    """
    writer.seal()
    if writer.spool.is_drained():
        return False
    return deliver(writer.spool, endpoint, time.monotonic() + endpoint.timeout).segments_left > 0


def _flush_at_exit() -> None:
    atexit.unregister(_end_process)  # once is enough
    atexit.register(_end_process)


def _end_process() -> None:
    if live.is_built:
        live.build().writer.conclude()
    flush_otel()


def in_airflow() -> bool:
    """Say whether this is a process of Airflow's, by what it has imported."""
    return "airflow" in sys.modules


def install(attributes: Mapping[str, AttributeValue]) -> None:
    """Make ours the provider of all stages, and the global one if nobody has set one."""
    set_surroundings(live.provider, attributes)
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(live.provider)


def setup_otel(
    service_name: str | None = None,
    *,
    resource_attributes: Mapping[str, AttributeValue] | None = None,
) -> tuple[Tracer, Meter]:
    """Set up OpenTelemetry for this process and return a tracer and a meter.

    May be called any number of times, from any thread, before or after a fork, with or without
    Airflow; the first service name and each first resource attribute count, and OTEL_SERVICE_NAME
    and OTEL_RESOURCE_ATTRIBUTES overrule them. Spans go to the spool and from there to the
    collector that OTEL_EXPORTER_OTLP_ENDPOINT names; outside of Airflow metrics go there too, every
    minute and at the end, and are kept nowhere else. Nothing is built for spans before the first
    one. Where somebody has set a provider already, that one is used and left as it is.
    """
    name = service_name or SCOPE
    live.configure(service_name=service_name, resource_attributes=resource_attributes)
    off = is_sdk_disabled_here() or (in_airflow() and not live.settings.enabled)
    if off:
        return trace.NoOpTracer(), metrics.NoOpMeter(name)
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        trace.set_tracer_provider(live.provider)
    live.set_up_metrics()
    return trace.get_tracer(name), metrics.get_meter(name)


def is_sdk_disabled_here() -> bool:
    """Say whether OTEL_SDK_DISABLED switches this process off."""
    return is_sdk_disabled(os.environ)


def flush_otel(timeout: float = 0.5) -> bool:
    """Deliver the spans that have ended, and metrics; True if all is with the collector.

    Never takes longer than `timeout` seconds. Spans that aren't delivered by then stay in the spool
    and go with a later attempt. Without a collector the spool is where spans belong: True.
    """
    return live.flush(timeout)
