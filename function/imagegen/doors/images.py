"""The routes of images, usage and uploads: request headers and bodies in, outcomes out.

Imported with the first request for one of them: `/health` and the first byte of a cold start do not wait for it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from flask import Request, Response
from werkzeug.http import parse_dict_header

from imagegen.doors import usage, vendor_routes
from imagegen.doors.answers import json_answer
from imagegen.doors.auth import Authenticator, Caller
from imagegen.doors.call import IMAGE_TYPES, JSON, Call
from imagegen.doors.core import Core
from imagegen.doors.request_bodies import Bodies
from imagegen.errors import InvalidRequest, NotFound
from imagegen.failure import Problem
from imagegen.model import ImageRequest, Order
from imagegen.pipeline.claiming import Outcome
from imagegen.ports import Clock, Deadline
from imagegen.references import validation
from imagegen.references.rules import Rules
from imagegen.references.upload_urls import parse_wish, upload_url
from imagegen.timeouts import MAX_WAIT_SECONDS, Timeouts

_BAD_KEY = Problem("", "the header Idempotency-Key must be 1 to 255 visible ASCII characters")


@dataclass(frozen=True, slots=True)
class ImageRoutes:
    """One method a route. No decision about images or money is made here."""

    core: Callable[[], Core]
    auth: Authenticator
    bodies: Bodies
    clock: Clock
    timeouts: Timeouts
    uploads_bucket: str | None

    def create(self, call: Call) -> Response:
        """Buy an image, or answer what became of it."""
        return self._created(call, as_image=call.likes(*IMAGE_TYPES) > call.likes(JSON))

    def create_as_segmind(self, call: Call) -> Response:
        """Answer like Segmind's own endpoint: with the image's bytes, unless the caller asks for JSON."""
        return self._created(call, as_image=call.likes(*IMAGE_TYPES) >= call.likes(JSON))

    def _created(self, call: Call, *, as_image: bool) -> Response:
        caller = self.auth(call.request.headers)
        patience = _async_wait(call.request) if self.uploads_bucket else None
        order, core = self._order(call, caller), self.core()
        if patience is None:
            outcome = core.pipeline.service.create(order, call.watch, call.deadline)
            return core.answers.created(outcome, call, as_image=as_image)
        outcome = self._queued(order, call, caller, patience)
        response = core.answers.created(outcome, call, as_image=as_image)
        response.headers["Preference-Applied"] = f"respond-async, wait={patience:g}" if patience else "respond-async"
        return response

    def _queued(self, order: Order, call: Call, caller: Caller, patience: float) -> Outcome:
        """Queue the order; wait for its end as long as the caller asked for."""
        service = self.core().pipeline.service
        with call.watch.step("claim"):
            outcome = service.accept(order)
        if outcome.ending or not patience:
            return outcome
        later = service.status(outcome.claim.id, caller.sees, patience)
        return replace(later, replayed=outcome.replayed)

    def show(self, call: Call) -> Response:
        """Answer where an image stands, with a fresh URL."""
        outcome = self._found(call)
        as_image = call.likes(*IMAGE_TYPES) > call.likes(JSON)
        return self.core().answers.shown(outcome, call, as_image=as_image)

    def content(self, call: Call) -> Response:
        """Redirect to an image."""
        return self.core().answers.content(self._found(call), call)

    def _found(self, call: Call) -> Outcome:
        """Return where the image in the path stands, for a caller who may see it."""
        caller, wait = self.auth(call.request.headers), _wait(call)
        return self.core().pipeline.service.status(call.image_id, caller.sees, wait)

    def delete(self, call: Call) -> Response:
        """Delete an image for good."""
        caller = self.auth(call.request.headers)
        self.core().pipeline.deleting.delete(call.image_id, caller.sees)
        return Response(status=204)

    def usage(self, call: Call) -> Response:
        """Answer what was spent, a row a day."""
        caller = self.auth(call.request.headers)
        asked, core = usage.period(call.query.to_dict(), self.clock.now()), self.core()
        return json_answer(usage.report(core.pipeline.account, core.pipeline.cap, asked, caller.sees, self.clock))

    def submit(self, call: Call) -> Response:
        """Segmind's v2: queue an order and answer its id."""
        caller = self.auth(call.request.headers)
        if self.uploads_bucket is None:
            raise NotFound(vendor_routes.NO_QUEUE)
        order, core = self._order(call, caller), self.core()
        with call.watch.step("claim"):
            return vendor_routes.submitted(core.pipeline.service.accept(order), call.request)

    def submitted_status(self, call: Call) -> Response:
        """Segmind's v2: answer the state of an order."""
        return vendor_routes.status(self._found(call))

    def submitted_result(self, call: Call) -> Response:
        """Segmind's v2: answer the image of an order."""
        outcome = self._found(call)
        return vendor_routes.result(outcome, self.core().answers.signed(outcome, call))

    def upload(self, call: Call) -> Response:
        """Answer signed URLs for one reference image."""
        caller = self.auth(call.request.headers)
        if self.uploads_bucket is None:
            raise NotFound("This service has no uploads bucket.")
        with call.watch.step("validate"), self.bodies.of(call.request) as body:
            wish = parse_wish(body)
        sign_put = self.core().sign_put
        assert sign_put is not None  # noqa: S101 - there is one where there is an uploads bucket
        with call.watch.step("sign"):
            return json_answer(upload_url(wish, self._rules(caller), sign_put))

    def _order(self, call: Call, caller: Caller) -> Order:
        """Return what the caller orders. Raises InvalidRequest with every problem of header and body."""
        key = call.request.headers.get("Idempotency-Key")
        with call.watch.step("validate"), self.bodies.of(call.request) as body:
            problems = () if key is None or re.fullmatch("[!-~]{1,255}", key) else (_BAD_KEY,)
            try:
                request = validation.parse(body, self._rules(caller))
            except InvalidRequest as error:
                raise InvalidRequest(problems + error.problems) from None
            if problems:
                raise InvalidRequest(problems)
            # A large body's bytes are gone once its place is given back: its images are staged before that.
            request = self._staged(request, call.deadline)
        return Order(request, "http", owner=caller.owner, key=key)

    def _staged(self, request: ImageRequest, deadline: Deadline) -> ImageRequest:
        if not any(r.inline for r in request.references):
            return request
        return self.core().staging.stage(request, deadline.sooner(self.timeouts.stage_seconds))

    def _rules(self, caller: Caller) -> Rules:
        return Rules(self.uploads_bucket, caller.owner)


def _async_wait(request: Request) -> float | None:
    """Return how long a caller who prefers an asynchronous answer wants to wait for it (RFC 7240); else None."""
    told = parse_dict_header(",".join(request.headers.getlist("Prefer")))
    preferences = {name.partition(";")[0].strip().lower(): value for name, value in told.items()}  # no parameter counts
    if "respond-async" not in preferences:
        return None
    wait = preferences.get("wait") or "0"
    return float(min(int(wait), MAX_WAIT_SECONDS)) if re.fullmatch(r"[0-9]{1,9}", wait) else 0.0


def _wait(call: Call) -> float:
    """Return the seconds that the query asks to wait, as any number that JSON can write. Raises InvalidRequest."""
    texts = call.query.getlist("wait") or ["0"]
    number = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", texts[0])
    if len(texts) > 1 or not number or not 0 <= float(texts[0]) <= MAX_WAIT_SECONDS:
        detail = f"the query's wait must be a number of seconds from 0 to {MAX_WAIT_SECONDS}"
        raise InvalidRequest((Problem("", detail),))
    return abs(float(texts[0]))
