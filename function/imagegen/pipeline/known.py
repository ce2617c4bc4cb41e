"""What this process knows of jobs without asking storage. Hints only: nothing is decided by them that costs money."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from imagegen.model import Claim

_ENDED = 10_000


class Known:
    """Jobs that run in this process, and jobs that were seen to have ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Claim] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()

    @contextmanager
    def running(self, claim: Claim) -> Iterator[None]:
        """Let duplicates in this process know that `claim` runs here, inside the block."""
        with self._lock:
            self._running[claim.id] = claim
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(claim.id, None)

    def claim(self, image_id: str) -> Claim | None:
        """Return the claim that runs in this process under this id."""
        with self._lock:
            return self._running.get(image_id)

    def end(self, image_id: str) -> None:
        """Remember that a job has a result: the next repeat reads it before it tries to claim."""
        with self._lock:
            self._ended[image_id] = None
            self._ended.move_to_end(image_id)
            if len(self._ended) > _ENDED:
                self._ended.popitem(last=False)

    def has_ended(self, image_id: str) -> bool:
        """Tell whether a result was seen under this id."""
        with self._lock:
            return image_id in self._ended
