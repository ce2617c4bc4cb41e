"""What a request spent its time on, for `Server-Timing`. A step that runs twice adds up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from imagegen.ports import Clock

Step = Literal["validate", "claim", "segmind", "store", "sign"]


class Stopwatch:
    """Starts when it is made."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._started = clock, clock.monotonic()
        self._seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: Step) -> Iterator[None]:
        """Count the time inside the block under `name`, also when it raises."""
        started = self._clock.monotonic()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + self._clock.monotonic() - started

    @property
    def total_seconds(self) -> float:
        """Seconds since the start."""
        return self._clock.monotonic() - self._started

    def header(self) -> str:
        """Return the value of `Server-Timing` (W3C), in milliseconds."""
        steps = {**self._seconds, "total": self.total_seconds}
        return ", ".join(f"{name};dur={seconds * 1000:.1f}" for name, seconds in steps.items())

    def seconds(self, name: Step) -> float:
        """Seconds counted under `name` so far."""
        return self._seconds.get(name, 0.0)
