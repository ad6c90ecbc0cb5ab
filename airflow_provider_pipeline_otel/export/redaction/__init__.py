"""The one place that every span passes before it is encoded: what must not leave stays here.

record → (repair, cut, mask) → record. A record with nothing to change is returned as it is; texts
that were found clean are remembered, for most come again. docs/privacy.md says what is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from re import Pattern
from typing import TYPE_CHECKING, Final

import msgspec

from airflow_provider_pipeline_otel.config import Redaction
from airflow_provider_pipeline_otel.export.redaction import messages, personal
from airflow_provider_pipeline_otel.export.redaction.pairs import MARK, is_secret_name
from airflow_provider_pipeline_otel.export.redaction.repair import (
    MOST_TIME_NS,
    begin_cut,
    end_cut,
    repair_text,
)
from airflow_provider_pipeline_otel.export.redaction.texts import MARKS, mask_text
from airflow_provider_pipeline_otel.record import StatusCode
from airflow_provider_pipeline_otel.semconv import attributes as names

if TYPE_CHECKING:
    from airflow_provider_pipeline_otel.record import (
        Attributes,
        AttributeValue,
        Event,
        Link,
        SpanRecord,
    )

Replacers = tuple[Pattern[str], ...]

_REMEMBERED: Final = 4096
_DEEPEST: Final = 6
_MOST_ITEMS: Final = 256
_NUMBERS: Final = frozenset({bool, int, float})
_SMALL: Final = 10**13
"""A number of fewer digits than a payment card has."""
_AIRFLOWS_MARK: Final = "***"
_OWN_MARK: Final = "[redacted]"
_KINDS: Final = {_AIRFLOWS_MARK: "secret of Airflow"}
_ERROR_TEXTS: Final = {names.EXCEPTION_MESSAGE: "message", names.EXCEPTION_STACKTRACE: "stacktrace"}


class _Airflow:
    """What Airflow knows of its own secrets, handed down by who faces it."""

    replacers: Callable[[], Replacers] = tuple


def use_secrets_of(replacers: Callable[[], Replacers]) -> None:
    """Let texts pass these patterns before all else; they are asked for with each record."""
    _Airflow.replacers = staticmethod(replacers)


class Redactor:
    """Redacts records; `counts` says how many values of which kind were taken out."""

    def __init__(self, options: Redaction = Redaction()) -> None:  # noqa: B008  it is frozen
        self.counts: Counter[str] = Counter()
        self._options = options
        self._clean: set[str] = set()
        self._names: dict[str, bool] = {}
        self._plain_names: set[tuple[str, ...]] = set()
        self._replacers: Replacers = ()

    def take_counts(self) -> Counter[str]:
        """Return the counts since the last call."""
        counts, self.counts = self.counts, Counter()
        return counts

    def redact(self, record: SpanRecord) -> SpanRecord:
        """Return the record without what must not leave, nor what would break an encoder."""
        changes: dict[str, object] = {}
        replacers = _Airflow.replacers()
        if replacers != self._replacers:
            self._replacers = replacers
            self._clean.clear()
        attributes = self._attributes(record.attributes, record.name)
        if attributes is not record.attributes:
            changes["attributes"] = attributes
        if record.events:
            changes["events"] = tuple(
                event for each in record.events if (event := self._event(each)) is not None
            )
        if record.links:
            changes["links"] = tuple(map(self._link, record.links))
        name = self._text(record.name, self._options.value_length)
        if name != record.name:
            changes["name"] = name
        if record.status_message:
            changes["status_message"] = self._status_message(record)
        if not 0 <= record.start_ns <= MOST_TIME_NS or not 0 <= record.end_ns <= MOST_TIME_NS:
            changes["start_ns"] = min(max(record.start_ns, 0), MOST_TIME_NS)
            changes["end_ns"] = min(max(record.end_ns, 0), MOST_TIME_NS)
        return msgspec.structs.replace(record, **changes) if changes else record

    def attributes(self, attributes: Attributes) -> Attributes:
        """Return the attributes of a resource without what must not leave."""
        return self._attributes(attributes)

    def _attributes(self, attributes: Attributes, beside: str = "") -> Attributes:
        """Return the attributes redacted; `beside` is a text to look at in the same go."""
        if not self._are_plain_names(tuple(attributes)):
            return self._all_attributes(attributes)
        clean = self._clean
        unknown = [] if beside in clean else [beside]
        for value in attributes.values():
            kind = type(value)
            if kind is str:
                if value not in clean:
                    unknown.append(value)  # type: ignore[arg-type]
            elif kind not in _NUMBERS or not -_SMALL < value < _SMALL:  # type: ignore[operator]
                return self._all_attributes(attributes)
        if unknown and not self._are_clean(unknown):
            return self._all_attributes(attributes)
        return attributes

    def _are_plain_names(self, names: tuple[str, ...]) -> bool:
        """Say whether all are: spans of a kind have the same ones, so one look-up does for most."""
        if names in self._plain_names:
            return True
        if not all(name not in _ERROR_TEXTS and self._is_plain_name(name) for name in names):
            return False
        if len(self._plain_names) < _REMEMBERED:
            self._plain_names.add(names)
        return True

    def _are_clean(self, texts: list[str]) -> bool:
        """Look at texts all at once, which costs a fraction of one by one; False: maybe not."""
        joined = "\n".join(texts)
        if len(joined) > self._options.value_length or self._options.patterns:
            return False
        if repair_text(joined) != joined or self._masked(joined, mask_text) != joined:
            return False
        self._remember(texts)
        return True

    def _remember(self, texts: list[str]) -> None:
        if len(self._clean) >= _REMEMBERED:
            self._clean.clear()
        self._clean.update(texts)

    def _all_attributes(self, attributes: Attributes, depth: int = 0) -> Attributes:
        found: dict[str, AttributeValue] = {}
        for name, value in attributes.items():
            if value is None:
                continue
            if name in _ERROR_TEXTS:
                text = self._error_text(str(value), _ERROR_TEXTS[name])
                if text:
                    found[name] = text
            elif self._is_plain_name(name):
                found[name] = self._value(value, depth)
            else:
                self._take_secret(found, name, value)
        return attributes if found == attributes else found

    def _take_secret(
        self, found: dict[str, AttributeValue], name: str, value: AttributeValue
    ) -> None:
        name = self._text(name, self._options.value_length)
        if isinstance(value, bool) or value == "":
            found[name] = value
            return
        self.counts[MARK.strip("[]")] += 1
        found[name] = MARK

    def _is_plain_name(self, name: str) -> bool:
        known = self._names.get(name)
        if known is None:
            known = name in self._options.allowed_keys or (
                not is_secret_name(name) and self._text(name, self._options.value_length) == name
            )
            if len(self._names) < _REMEMBERED:
                self._names[name] = known
        return known

    def _value(self, value: AttributeValue, depth: int) -> AttributeValue:  # noqa: PLR0911  a case per type
        if isinstance(value, str):
            return value if value in self._clean else self._text(value, self._options.value_length)
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if -_SMALL < value < _SMALL else self._number(value)
        if isinstance(value, float):
            return value if value - value == 0 else str(value)  # NaN, inf: JSON has none
        if isinstance(value, bytes):
            text = value.decode("utf-8", "replace")
            masked = self._text(text, self._options.value_length)
            return value if masked == text else masked
        if depth >= _DEEPEST:
            return type(value).__name__
        if isinstance(value, Mapping):
            items = {str(name): value[name] for name in [*value][:_MOST_ITEMS]}
            return self._all_attributes(items, depth + 1)
        if isinstance(value, Sequence):
            return [self._value(item, depth + 1) for item in value[:_MOST_ITEMS]]
        return value

    def _number(self, value: int) -> AttributeValue:
        text = str(value)
        masked = self._text(text, self._options.value_length)
        return value if masked == text else masked

    def _text(self, text: str, most: int) -> str:
        if text in self._clean:
            return text
        masked = self._mask(text, most, mask_text)
        if masked == text:
            self._remember([text])
        return masked

    def _error_text(self, text: str, kind: str) -> str:
        if self._options.exception_message != "redacted":
            return ""
        if kind == "message":
            return self._mask(text, self._options.message_length, messages.mask_message)
        return self._mask(text, self._options.stack_trace_length, messages.mask_stack_trace)

    def _mask(self, text: str, most: int, rule: Callable[[str], str]) -> str:
        start = repair_text(text if len(text) <= most else begin_cut(text, most))
        masked = self._masked(start, rule)
        if masked != start:
            self._count(start, masked)
        return masked if len(text) <= most else end_cut(masked, most)

    def _masked(self, text: str, rule: Callable[[str], str]) -> str:
        for replacer in self._replacers:
            text = replacer.sub(_AIRFLOWS_MARK, text)
        text = rule(text)
        if self._options.ip_addresses:
            text = personal.mask_ips(text)
        if self._options.phone_numbers:
            text = personal.mask_phones(text)
        for pattern in self._options.patterns:
            text = pattern.sub(_OWN_MARK, text)
        return text

    def _count(self, before: str, after: str) -> None:
        for mark in (*MARKS, _AIRFLOWS_MARK, _OWN_MARK):
            count = after.count(mark) - before.count(mark)
            if count > 0:
                self.counts[_KINDS.get(mark) or mark.strip("[]")] += count

    def _status_message(self, record: SpanRecord) -> str:
        """Return a status's message: of an error it is an exception's, "ValueError: <text>"."""
        message = record.status_message
        if record.status is not StatusCode.ERROR:
            return self._text(message, self._options.message_length)
        if self._options.exception_message == "redacted":
            return self._error_text(message, "message")
        head = message.partition(":")[0]
        types = {event.attributes.get(names.EXCEPTION_TYPE) for event in record.events}
        return head if head in types and self._options.exception_message != "off" else ""

    def _event(self, event: Event) -> Event | None:
        if self._options.exception_message == "off" and event.name == "exception":
            return None
        return msgspec.structs.replace(
            event,
            name=self._text(event.name, self._options.value_length),
            time_ns=min(max(event.time_ns, 0), MOST_TIME_NS),
            attributes=self._attributes(event.attributes),
        )

    def _link(self, link: Link) -> Link:
        attributes = self._attributes(link.attributes)
        return (
            link
            if attributes is link.attributes
            else msgspec.structs.replace(link, attributes=attributes)
        )
