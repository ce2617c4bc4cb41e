"""The scheduler's calls: Cloud Scheduler's headers, at the planned times, and the same call again when it fails."""

import json
from dataclasses import dataclass, field

from local.scheduler import PAUSES, Job, Scheduler, send, time_text
from tests.harness.receiver import Receiver

NOON = 1_773_489_600.0  # 2026-03-14T12:00:00Z
TIME = "x-cloudscheduler-scheduletime"


@dataclass
class Time:
    """Passes only when code waits; it is over after so many waits."""

    now: float
    waits: int
    waited: list[float] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        self.now += seconds
        return len(self.waited) > self.waits


def run(url: str, time: Time) -> list[str]:
    """Run a job of every minute until that time is over; return what was reported."""
    reports: list[str] = []
    Scheduler(Job("sweep", url, every=60), reports.append, time.wait, time.clock).run()
    return reports


def test_a_call_looks_like_cloud_schedulers(receiver: Receiver) -> None:
    answer = send(Job("daily", receiver.url, {"name": "daily"}), "2026-03-14T12:00:00Z")
    ((headers, body),) = receiver.deliveries
    assert (answer.status, json.loads(body)) == (204, {"name": "daily"})
    assert headers["user-agent"] == "Google-Cloud-Scheduler"
    assert headers["content-type"] == "application/json"
    assert {name: value for name, value in headers.items() if name.startswith("x-")} == {
        "x-cloudscheduler": "true",
        "x-cloudscheduler-jobname": "daily",
        "x-cloudscheduler-scheduletime": "2026-03-14T12:00:00Z",
    }


def test_calls_are_planned_for_whole_minutes(receiver: Receiver) -> None:
    """Whenever it was started; the time that a call names is the planned one."""
    time = Time(NOON + 0.25, waits=3)
    assert run(receiver.url, time) == []
    assert receiver.headers(TIME) == ["2026-03-14T12:01:00Z", "2026-03-14T12:02:00Z", "2026-03-14T12:03:00Z"]
    assert time.waited == [59.75, 60, 60, 60]


def test_a_daily_call_is_planned_so_many_hours_after_midnight() -> None:
    """In UTC, on this day or the next."""
    job = Job("reconcile", "", past=5 * 3600)
    assert time_text(job.next_time(NOON)) == "2026-03-15T05:00:00Z"
    assert time_text(job.next_time(NOON - 8 * 3600)) == "2026-03-14T05:00:00Z"


def test_a_call_that_fails_is_sent_again_as_the_same_call(receiver: Receiver) -> None:
    receiver.statuses.extend([503, 500])
    assert run(receiver.url, Time(NOON, waits=4)) == []
    assert receiver.headers(TIME) == ["2026-03-14T12:01:00Z"] * 3 + ["2026-03-14T12:02:00Z"]


def test_a_call_that_never_succeeds_is_reported_and_given_up(receiver: Receiver) -> None:
    """After five repetitions, with longer and longer pauses; the next one is planned as ever."""
    receiver.statuses.extend([500] * 6)
    time = Time(NOON, waits=7)
    assert run(receiver.url, time) == ["the call sweep of 2026-03-14T12:01:00Z failed: HTTP 500"]
    assert receiver.headers(TIME) == ["2026-03-14T12:01:00Z"] * 6 + ["2026-03-14T12:02:00Z"]
    assert time.waited == [60, *PAUSES, 29, 60]


def test_a_door_that_is_not_there_is_a_call_that_failed() -> None:
    (report,) = run("http://127.0.0.1:9/sweep", Time(NOON, waits=6))
    assert "refused" in report


def test_it_ends_amid_repetitions(receiver: Receiver) -> None:
    receiver.statuses.extend([500] * 9)
    assert run(receiver.url, Time(NOON, waits=3)) == []
    assert receiver.headers(TIME) == ["2026-03-14T12:01:00Z"] * 3
