"""A clock that is told the time."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


class FakeClock:
    """Implements `ports.Clock`: time passes only when somebody sleeps or the test says so."""

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
        """Plan `action` for a moment at which somebody will be sleeping."""
        self._planned.append((self.monotonic() + seconds, action))

    def _next_before(self, end: float) -> tuple[float, Callable[[], object]] | None:
        due = min((plan for plan in self._planned if plan[0] <= end), key=lambda plan: plan[0], default=None)
        if due:
            self._planned.remove(due)
        return due

    def _move_to(self, moment: float) -> None:
        with self._lock:
            self._now += timedelta(seconds=max(0.0, moment - self._seconds))
            self._seconds = max(moment, self._seconds)
