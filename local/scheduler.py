"""Cloud Scheduler on one machine: calls with its headers, and a call that fails is sent again as the same call."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from urllib3 import BaseHTTPResponse

from local.calls import HTTPError, call, is_ok

ANSWER_SECONDS = 1800.0
"""As long as Cloud Scheduler waits at most."""

PAUSES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each repetition of a call: five, as Terraform asks for."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be sent where, and when: at each multiple of `every` seconds, and `past` seconds more."""

    name: str
    url: str
    body: Mapping[str, object] = field(default_factory=dict)
    every: float = 86_400.0
    past: float = 0.0

    def next_time(self, now: float) -> float:
        """Return the next planned time, in seconds since the epoch."""
        return ((now - self.past) // self.every + 1) * self.every + self.past


def send(job: Job, planned: str) -> BaseHTTPResponse:
    """Send the call that was planned for this time; raises `HTTPError` where nothing answers."""
    headers = {
        "User-Agent": "Google-Cloud-Scheduler",
        "X-CloudScheduler": "true",
        "X-CloudScheduler-JobName": job.name,
        "X-CloudScheduler-ScheduleTime": planned,
    }
    return call("POST", job.url, json=job.body, headers=headers, timeout=ANSWER_SECONDS)


def time_text(moment: float) -> str:
    """Return seconds since the epoch as RFC 3339, as a call names its time."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Scheduler:
    """Sends one job's calls, never two at a time. `wait` sleeps so many seconds, and says whether it is over."""

    job: Job
    report: Callable[[str], None]
    wait: Callable[[float], bool]
    clock: Callable[[], float] = time.time

    def start(self) -> None:
        """Run in the background, for as long as the process lives."""
        threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Send call after call until `wait` says that it is over."""
        over = False
        while not over:
            now = self.clock()
            planned = self.job.next_time(now)
            over = self.wait(planned - now) or self._send(time_text(planned))

    def _send(self, planned: str) -> bool:
        """Send one call, again while it fails; return whether it is over."""
        for pause in (*PAUSES, None):
            problem = self._problem(planned)
            if not problem:
                return False
            if pause is None:
                self.report(f"the call {self.job.name} of {planned} failed: {problem}")
            elif self.wait(pause):
                return True
        return False

    def _problem(self, planned: str) -> str:
        try:
            answer = send(self.job, planned)
        except HTTPError as error:
            return str(error)
        return "" if is_ok(answer) else f"HTTP {answer.status}"
