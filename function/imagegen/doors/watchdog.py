"""One thread that ends slow conversations, for any number of requests: a timer for each would double the threads."""

import heapq
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from socket import socket


@dataclass(order=True, slots=True)
class _Watch:
    at: float
    number: int  # no two compare equal, so that sockets are never compared
    sock: socket | None = field(compare=False)


class Watchdog:
    """Lets a socket's next wait fail once its time is up. The thread starts with the first socket, after any fork."""

    def __init__(self) -> None:
        self._watches: list[_Watch] = []
        self._changed = threading.Condition()
        self._numbers = count()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, sock: socket, seconds: float) -> Iterator[None]:
        """Watch a socket inside the block; it is not touched after it."""
        watch = _Watch(time.monotonic() + seconds, next(self._numbers), sock)
        with self._changed:
            heapq.heappush(self._watches, watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            if self._watches[0] is watch:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                watch.sock = None

    def _run(self) -> None:
        with self._changed:
            while True:
                left = self._watches[0].at - time.monotonic() if self._watches else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                sock = heapq.heappop(self._watches).sock
                if sock is not None:
                    with suppress(OSError):
                        sock.settimeout(0)
