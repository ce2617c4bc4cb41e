"""Cloud Scheduler on one machine: ticks with its headers, and a tick that fails is sent again as the same tick."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.calls import call

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

ANSWER_SECONDS = 1800.0
"""As long as Cloud Scheduler waits at most."""

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each repetition of a tick: five, as Terraform asks for."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be sent where."""

    name: str
    url: str
    body: bytes = b""


def tick(job: Job, planned: str) -> requests.Response:
    """Send the tick that was planned for this time; raises `OSError` where nothing answers."""
    headers = {
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": job.name,
        "X-CloudScheduler-ScheduleTime": planned,
        "Content-Type": "application/json",
    }
    return call("POST", job.url, job.body, headers, ANSWER_SECONDS)


def time_text(moment: float) -> str:
    """Return seconds since the epoch as RFC 3339, as a tick names its time."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Scheduler:
    """Sends one job's ticks at every multiple of `seconds`, as a cron line does; never two at a time.

    `wait` sleeps, and says whether it is over.
    """

    def __init__(
        self,
        job: Job,
        seconds: float,
        report: Callable[[str], None],
        wait: Callable[[float], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._job, self._seconds = job, seconds
        self._report, self._wait, self._clock = report, wait, clock

    def start(self) -> None:
        """Run in the background, for as long as the process lives."""
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Send tick after tick until `wait` says that it is over."""
        over = False
        while not over:
            now = self._clock()
            planned = (now // self._seconds + 1) * self._seconds
            over = self._wait(planned - now) or self._send(time_text(planned))

    def _send(self, planned: str) -> bool:
        """Send one tick, again while it fails; whether it is over."""
        problem = self._problem(planned)
        for pause in PAUSES:
            if not problem:
                return False
            if self._wait(pause):
                return True
            problem = self._problem(planned)
        if problem:
            self._report(f"the tick {self._job.name} of {planned} failed: {problem}")
        return False

    def _problem(self, planned: str) -> str:
        try:
            answer = tick(self._job, planned)
        except OSError as error:
            return str(error)
        return "" if answer.status_code < 300 else f"HTTP {answer.status_code}"
