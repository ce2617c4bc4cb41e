"""Storage calls that do not depend on each other, at the same time: a caller waits for the slowest, not for the sum."""

import contextvars
from collections.abc import Callable
from concurrent.futures import Executor, Future, wait
from typing import Any, TypeVar

from imagegen import log
from imagegen.errors import StorageUnavailable

T = TypeVar("T")


class Parallel:
    """Runs single calls on a pool. What runs there must not wait for the pool itself. Without a pool: one by one."""

    def __init__(self, pool: Executor | None = None) -> None:
        self._pool = pool

    def start(self, call: Callable[[], T]) -> "Future[T]":
        """Start a call; `result()` of what is returned waits for it and raises what it raised."""
        return self.here(call) if self._pool is None else self._pool.submit(contextvars.copy_context().run, call)

    @staticmethod
    def here(call: Callable[[], T]) -> "Future[T]":
        """Make a call in this thread, which would only wait: one hand-over less."""
        done: Future[T] = Future()
        try:
            done.set_result(call())
        except Exception as error:  # noqa: BLE001 - handed to the one who asks for the result
            done.set_exception(error)
        return done

    def later(self, call: Callable[[], object]) -> None:
        """Start a call that only tidies up, and wait for nothing: the sweep does what it does not."""

        def tidy() -> None:
            try:
                call()
            except StorageUnavailable:
                log.tidying_failed()

        self.start(tidy)


def returned(value: T) -> "Future[T]":
    """Return a call that was not worth making, with what it would have returned."""
    return Parallel.here(lambda: value)


def errors_of(*calls: "Future[Any]") -> list[BaseException]:
    """Wait until all of these have ended, and return what they raised."""
    wait(calls)
    return [error for call in calls if (error := call.exception())]


def value_of(call: "Future[T]") -> T | None:
    """Return what a call that has ended returned; None where it raised."""
    return None if call.exception() else call.result()
