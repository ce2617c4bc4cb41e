"""v2 jobs: QUEUED, PROCESSING, then COMPLETED or FAILED, by the clock or by the count of polls."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from mock_segmind.images import Picture
from mock_segmind.plan import JobPlan

State: TypeAlias = Literal["QUEUED", "PROCESSING", "COMPLETED", "FAILED"]
QUEUE_SHARE: Final = 0.2


@dataclass(slots=True, eq=False)
class Job:
    """One submitted generation; `finish` is what ends one that waits for polls."""

    owner: str
    picture: Picture
    seconds: float
    plan: JobPlan
    price: Decimal
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    submitted: float = field(default_factory=time.monotonic)
    asked: int = 0
    ended: State | None = None
    ended_at: float = 0.0
    error: str | None = None
    remaining: Decimal = Decimal(0)
    finish: Callable[[], None] | None = None

    @property
    def state(self) -> State:
        if self.ended:
            return self.ended
        if self.plan.polls:
            return "QUEUED" if self.asked <= 1 else "PROCESSING"
        queued = time.monotonic() - self.submitted < self.seconds * QUEUE_SHARE
        return "QUEUED" if queued else "PROCESSING"

    def end(self, state: State) -> None:
        self.ended_at = time.monotonic()
        self.ended = state


class Jobs:
    """All jobs by request id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def clear(self) -> None:
        with self._lock:
            self._jobs = {}

    def put(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.request_id] = job

    def find(self, request_id: str) -> Job | None:
        with self._lock:
            return self._jobs.get(request_id)

    def ask(self, job: Job) -> None:
        """Count a poll; the one after the last of a job that waits for polls ends it, and no other does."""
        with self._lock:
            job.asked += 1
            finish = job.finish if job.asked > job.plan.polls else None
            job.finish = None if finish else job.finish
        if finish:
            finish()
