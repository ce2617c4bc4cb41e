"""The clocks of the tests: one that is told the time, and the real one that need not wait and can be put forward."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from imagegen.clock import SystemClock

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


class FakeClock:
    """Implements `ports.Clock`: time passes only when code sleeps or the test says so."""

    def __init__(self, now: datetime = NOON) -> None:
        self._lock = threading.RLock()
        self._now, self._seconds = now, 1000.0
        self._planned: list[tuple[float, Callable[[], object]]] = []

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        with self._lock:
            return self._seconds

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass; what was planned for then happens, on this thread, at its own time."""
        end = self.monotonic() + seconds
        while due := self._next_before(end):
            self._move_to(max(due[0], self.monotonic()))
            due[1]()
        self._move_to(end)

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Plan `action` for a moment at which the code under test will be sleeping."""
        self._planned.append((self.monotonic() + seconds, action))

    def _next_before(self, end: float) -> tuple[float, Callable[[], object]] | None:
        due = min((one for one in self._planned if one[0] <= end), key=lambda one: one[0], default=None)
        if due:
            self._planned.remove(due)
        return due

    def _move_to(self, moment: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=max(0.0, moment - self._seconds))
            self._seconds = max(moment, self._seconds)


class HastyClock(SystemClock):
    """The real clock, in which a sleep takes no time and is over all the same.

    The time of day is ahead by what was slept, or by what `ahead` says, in seconds: processes that share it agree about
    leases. A sleep moves the time of all threads; `sleeps` makes it wait as the real clock does.
    """

    def __init__(self, ahead: Callable[[], float] | None = None, *, sleeps: bool = False) -> None:
        self._lock, self._ahead, self._sleeps = threading.Lock(), ahead, sleeps
        self.skipped = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._ahead() if self._ahead else self.skipped)

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped

    def sleep(self, seconds: float) -> None:
        if self._sleeps:
            super().sleep(seconds)
            return
        with self._lock:
            self.skipped += seconds
