"""One thread that ends slow conversations, for any number of requests: a timer for each would double the threads."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import socket

_LONG = 3600.0  # seconds that the thread waits where there is nothing to end


class Watchdog:
    """Lets a socket's next wait fail once its time is up. The thread starts with the first socket, after any fork."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ends: dict[socket, float] = {}
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, sock: socket, seconds: float) -> Iterator[None]:
        """Watch a socket inside the block; it is not touched after it."""
        with self._changed:
            self._ends[sock] = time.monotonic() + seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
            elif self._ends[sock] < self._wakes_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._ends.pop(sock, None)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for sock in [sock for sock, end in self._ends.items() if end <= now]:
                    del self._ends[sock]
                    with suppress(OSError):
                        sock.settimeout(0)
                self._wakes_at = min(self._ends.values(), default=now + _LONG)
                self._changed.wait(self._wakes_at - now)
