"""XComContextMixin: ties a task to its upstream tasks by their contexts in XCom."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal

from opentelemetry import context as context_api
from opentelemetry import trace

from airflow_provider_pipeline_otel.guard import warn_once
from airflow_provider_pipeline_otel.propagation import xcom

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from airflow.sdk import Context

Chaining = Literal["link", "parent", "off"]


class XComContextMixin:
    """Put in front of an operator: `class Load(XComContextMixin, TracedPythonOperator)`.

    The task pushes its W3C context under the XCom key `otel_trace_context`. Those of its upstream
    tasks, all instances of mapped ones too, become links of its worker's span; with
    `context_chaining="parent"` the task's stage hangs under the first of them instead, which moves
    it out of its own task's place in the trace.
    """

    def __init__(self, *, context_chaining: Chaining = "link", **kwargs: Any) -> None:  # noqa: ANN401
        if context_chaining not in ("link", "parent", "off"):
            message = f"context_chaining = {context_chaining!r}: use 'link', 'parent' or 'off'"
            raise ValueError(message)
        super().__init__(**kwargs)
        self.context_chaining = context_chaining

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401
        """Give each operator class an __init__ of its own.

        Airflow sets defaults and dependencies in the __init__ of operator classes alone, and fails
        where a class takes it from a mixin.
        """
        super().__init_subclass__(**kwargs)
        if "__init__" not in vars(cls):

            def __init__(self: Any, *, context_chaining: Chaining = "link", **kwargs: Any) -> None:  # noqa: ANN401, N807
                super(cls, self).__init__(  # type: ignore[call-arg]
                    context_chaining=context_chaining, **kwargs
                )

            cls.__init__ = __init__  # type: ignore[method-assign]

    def execute(self, context: Context, **kwargs: Any) -> Any:  # noqa: ANN401
        """Chain, then execute; Airflow passes its proof that it is the caller in `kwargs`."""
        with self._chained(context):
            return super().execute(context, **kwargs)  # type: ignore[misc]

    def _chained(self, context: Context) -> AbstractContextManager[object]:
        if self.context_chaining == "off":
            return nullcontext()
        try:
            return self._chain(context)
        except (Exception, SystemExit):  # noqa: BLE001  XCom backends raise what they like
            warn_once("this task's context can't be chained", exc_info=True)
            return nullcontext()

    def _chain(self, context: Context) -> AbstractContextManager[object]:
        ti: Any = context["ti"]
        carrier: dict[str, str] = {}
        xcom.inject(carrier)
        if carrier:
            ti.xcom_push(key=xcom.KEY, value=carrier)
        links = xcom.links(_upstream_carriers(ti, sorted(ti.task.upstream_task_ids)))
        if self.context_chaining == "link":
            for link in links:
                trace.get_current_span().add_link(link.context, link.attributes)
            return nullcontext()
        if not links:
            return nullcontext()
        parent = trace.NonRecordingSpan(links[0].context)
        return _attached(trace.set_span_in_context(parent))


def _upstream_carriers(ti: Any, task_ids: list[str]) -> Iterable[object]:  # noqa: ANN401
    for task_id in task_ids:
        found = ti.xcom_pull(task_ids=task_id, key=xcom.KEY)
        # One carrier of an unmapped task, a sequence of a mapped one's instances.
        many = not isinstance(found, (dict, str, bytes)) and isinstance(found, Iterable)
        yield from (item for item in (found if many else [found]) if item is not None)


class _attached:  # noqa: N801
    def __init__(self, context: context_api.Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = context_api.attach(self._context)

    def __exit__(self, *_: object) -> None:
        context_api.detach(self._token)
