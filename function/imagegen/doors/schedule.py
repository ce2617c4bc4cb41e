"""The schedule door: Cloud Scheduler's POSTs. The platform lets only its service account in."""

import re
from collections.abc import Callable

from flask import Request, Response
from werkzeug.routing import Map, Rule

from imagegen import log
from imagegen.doors import batches
from imagegen.doors.answers import json_answer
from imagegen.doors.core import Core
from imagegen.doors.cors import Cors
from imagegen.doors.entry import Call, HttpEntry
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
_TIME_HEADER = "X-CloudScheduler-ScheduleTime"


class ScheduleDoor(HttpEntry):
    """Queues batches and sweeps."""

    def __init__(
        self, core: Callable[[], Core], bodies: Bodies, clock: Clock, uploads_bucket: str | None, request_seconds: float
    ) -> None:
        self._core, self._bodies, self._uploads_bucket = core, bodies, uploads_bucket
        endpoints = {"batch": self._batch, "sweep": self._sweep, "reconcile": self._reconcile, "health": self._health}
        super().__init__("schedule", ROUTES, endpoints, Cors(()), clock, request_seconds)

    def _batch(self, call: Call) -> Response:
        if self._uploads_bucket is None:
            raise NotFound("This service has no uploads bucket, so nothing can be queued.")
        with call.watch.step("validate"), self._bodies.of(call.request) as body:
            planned = _planned(call.request)
            batch = batches.parse(body, Rules(self._uploads_bucket))
            batch = batches.stage(batch, self._core().staging, call.deadline)
        with call.watch.step("claim"):
            outcomes = batches.queue(batch, planned, self._core().pipeline.service)
        queued = [o.claim.id for o in outcomes if not o.replayed]
        replayed = [o.claim.id for o in outcomes if o.replayed]
        log.batch_queued(len(queued), len(replayed))
        return json_answer({"queued": queued, "replayed": replayed}, 200)

    def _sweep(self, call: Call) -> Response:
        del call
        return json_answer(self._core().pipeline.sweep.run(), 200)

    def _reconcile(self, call: Call) -> Response:
        del call
        return json_answer(self._core().pipeline.reconcile.run(), 200)

    def _health(self, call: Call) -> Response:
        del call
        return json_answer({"status": "ok"}, 200)


def _planned(request: Request) -> str:
    """Return the time that this call was planned for: the same for each of its deliveries."""
    found = request.headers.get(_TIME_HEADER, "")
    if not re.fullmatch(r"[!-~]{1,64}", found):
        raise InvalidRequest(
            (Problem("", f"the header {_TIME_HEADER} must name the planned time, as the scheduler does"),)
        )
    return found
