"""The fake's clock, which tests move, and its waits, which `clear()` and `stop()` end."""

import threading
import time
from collections.abc import Callable

from mock_segmind.transport import Abandoned, Pause


class Clock:
    """Unix time in seconds: a source's, plus all that `advance` added."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source, self._ahead = source, 0.0

    def now(self) -> float:
        return self._source() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds

    def clear(self) -> None:
        self._ahead = 0.0


class Pauses:
    """Every wait of the fake, so that all of them can be ended at once."""

    def __init__(self) -> None:
        self._ended = threading.Event()

    def arrival(self) -> Pause:
        """Return the wait of a request that arrives now.

        Bound at arrival, so that a request which was on its way while the fake was cleared does not go on.
        """
        ended = self._ended

        def pause(seconds: float) -> None:
            if ended.wait(seconds):
                raise Abandoned

        return pause

    def end_all(self) -> None:
        ended, self._ended = self._ended, threading.Event()
        ended.set()
