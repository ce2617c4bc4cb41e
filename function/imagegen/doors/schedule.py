"""The schedule door: Cloud Scheduler's POSTs. The platform lets only its service account in."""

import re
from collections.abc import Callable

from flask import Request, Response
from werkzeug.routing import Map, Rule

from imagegen import log
from imagegen.doors import batches
from imagegen.doors.answers import json_answer
from imagegen.doors.call import Call
from imagegen.doors.core import Core
from imagegen.doors.cors import Cors
from imagegen.doors.entry import HttpEntry
from imagegen.doors.request_bodies import Bodies
from imagegen.errors import InvalidRequest, NotFound
from imagegen.failure import Problem
from imagegen.ports import Clock
from imagegen.references.rules import Rules

ROUTES = Map(
    [
        Rule("/", methods=["POST"], endpoint="batch"),
        Rule("/sweep", methods=["POST"], endpoint="sweep"),
        Rule("/reconcile", methods=["POST"], endpoint="reconcile"),
        Rule("/health", methods=["GET"], endpoint="health"),
    ],
    strict_slashes=False,
)
_PLANNED_TIME = "X-CloudScheduler-ScheduleTime"


class ScheduleDoor(HttpEntry):
    """Queues batches and sweeps. One method a route."""

    def __init__(
        self, core: Callable[[], Core], bodies: Bodies, clock: Clock, uploads_bucket: str | None, request_seconds: float
    ) -> None:
        super().__init__("schedule", ROUTES, Cors(()), clock, request_seconds)
        self._core, self._bodies, self._uploads_bucket = core, bodies, uploads_bucket

    def batch(self, call: Call) -> Response:
        """Queue a batch: a repeated call queues only what is missing."""
        if self._uploads_bucket is None:
            raise NotFound("This service has no uploads bucket, so nothing can be queued.")
        with call.watch.step("validate"), self._bodies.of(call.request) as body:
            planned = _planned_time(call.request)
            batch = batches.parse(body, Rules(self._uploads_bucket))
            batch = batches.stage(batch, self._core().staging, call.deadline)
        with call.watch.step("claim"):
            outcomes = batches.queue(batch, planned, self._core().pipeline.service)
        queued = [o.claim.id for o in outcomes if not o.replayed]
        replayed = [o.claim.id for o in outcomes if o.replayed]
        log.batch_queued(len(queued), len(replayed))
        return json_answer({"queued": queued, "replayed": replayed})

    def sweep(self, _call: Call) -> Response:
        """End what crashed instances left behind."""
        return json_answer(self._core().pipeline.sweep.run())

    def reconcile(self, _call: Call) -> Response:
        """Compare a closed day with Segmind's history."""
        return json_answer(self._core().pipeline.reconcile.run())

    def health(self, _call: Call) -> Response:
        """Answer that this process serves."""
        return json_answer({"status": "ok"})


def _planned_time(request: Request) -> str:
    """Return the time that this call was planned for: the same for each of its deliveries."""
    found = request.headers.get(_PLANNED_TIME, "")
    if not re.fullmatch(r"[!-~]{1,64}", found):
        detail = f"the header {_PLANNED_TIME} must name the planned time, as the scheduler does"
        raise InvalidRequest((Problem("", detail),))
    return found
