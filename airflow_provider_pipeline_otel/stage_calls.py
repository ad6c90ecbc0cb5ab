"""Calls as stages: functions, generators, coroutines and asynchronous generators."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

Function = Callable[..., Any]


class OpenStage(Protocol):
    """A stage that has begun: current inside `with`, as often as wanted, until it ends."""

    def __enter__(self) -> object:
        """Make it current."""

    def __exit__(self, *exc: object) -> None:
        """Make what was current before current again."""

    def end(self, error: BaseException | None) -> None:
        """Write the counts and the status, and end the span."""


Begin = Callable[[], OpenStage]


def wrap(function: Function, begin: Begin) -> Function:
    """Return the function with a stage around each call, whatever kind of function it is."""
    kinds: list[tuple[Callable[[Any], bool], Callable[[Function, Begin], Function]]] = [
        (inspect.isasyncgenfunction, _async_generator),
        (inspect.iscoroutinefunction, _coroutine),
        (inspect.isgeneratorfunction, _generator),
    ]
    make = next((make for is_kind, make in kinds if is_kind(function)), _function)
    return wraps(function)(make(function, begin))


@contextmanager
def _begun(begin: Begin) -> Iterator[OpenStage]:
    stage = begin()
    error: BaseException | None = None
    try:
        yield stage
    except BaseException as raised:
        error = raised
        raise
    finally:
        stage.end(error)


def _function(function: Function, begin: Begin) -> Function:
    def call(*args: object, **kwargs: object) -> object:
        with _begun(begin) as stage, stage:
            return function(*args, **kwargs)

    return call


def _coroutine(function: Function, begin: Begin) -> Function:
    async def call(*args: object, **kwargs: object) -> object:
        with _begun(begin) as stage, stage:
            return await function(*args, **kwargs)

    return call


def _generator(function: Function, begin: Begin) -> Function:
    # Current only while the generator's own body runs, and not its consumer's.
    def call(*args: object, **kwargs: object) -> Generator[object, object, object]:
        with _begun(begin) as stage:
            generator = function(*args, **kwargs)
            resume: Callable[[], object] = generator.__next__
            while True:
                try:
                    with stage:
                        item = resume()
                except StopIteration as stop:
                    return stop.value
                try:
                    sent = yield item
                except GeneratorExit:
                    with stage:
                        generator.close()
                    raise
                except BaseException as thrown:  # noqa: BLE001  the generator's to handle
                    resume = _later(generator.throw, thrown)
                else:
                    resume = _later(generator.send, sent)

    return call


def _later(step: Callable[[Any], object], value: object) -> Callable[[], object]:
    return lambda: step(value)


def _async_generator(function: Function, begin: Begin) -> Function:
    async def call(*args: object, **kwargs: object) -> AsyncGenerator[object, object]:
        with _begun(begin) as stage:
            generator = function(*args, **kwargs)
            resume: Callable[[], Any] = generator.__anext__
            while True:
                try:
                    with stage:
                        item = await resume()
                except StopAsyncIteration:
                    return
                try:
                    sent = yield item
                except GeneratorExit:
                    with stage:
                        await generator.aclose()
                    raise
                except BaseException as thrown:  # noqa: BLE001  the generator's to handle
                    resume = _later(generator.athrow, thrown)
                else:
                    resume = _later(generator.asend, sent)

    return call
