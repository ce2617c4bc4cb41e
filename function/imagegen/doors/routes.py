"""The HTTP door: routes, request headers, bodies. No decision about images or money is made here."""

import re
from collections.abc import Callable
from dataclasses import replace

from flask import Request, Response
from werkzeug.http import parse_dict_header
from werkzeug.routing import Map, Rule

from imagegen.doors import problem_pages, usage, vendor_routes
from imagegen.doors.answers import json_answer, prefers_image, prefers_json
from imagegen.doors.auth import Authenticator, Caller
from imagegen.doors.core import Core
from imagegen.doors.cors import Cors
from imagegen.doors.entry import Call, HttpEntry
from imagegen.doors.pages import Pages
from imagegen.doors.request_bodies import Bodies
from imagegen.errors import InvalidRequest, NotFound
from imagegen.failure import Problem
from imagegen.model import ImageRequest, Order
from imagegen.pipeline.claiming import Outcome
from imagegen.ports import Clock
from imagegen.references import validation
from imagegen.references.rules import Rules
from imagegen.references.upload_urls import parse_wish
from imagegen.timeouts import MAX_WAIT_SECONDS, Timeouts

ROUTES = Map(
    [
        Rule("/", methods=["GET"], endpoint="index"),
        Rule("/", methods=["POST"], endpoint="create"),
        Rule("/health", methods=["GET"], endpoint="health"),
        Rule("/openapi.json", methods=["GET"], endpoint="openapi"),
        Rule("/playground/<version>/<path:file>", methods=["GET"], endpoint="playground_file"),
        Rule("/v1/images", methods=["POST"], endpoint="create"),
        Rule("/v1/images/<image_id>", methods=["GET"], endpoint="show"),
        Rule("/v1/images/<image_id>/content", methods=["GET"], endpoint="content"),
        Rule("/v1/images/<image_id>", methods=["DELETE"], endpoint="delete"),
        Rule("/v1/usage", methods=["GET"], endpoint="usage"),
        Rule("/v1/runway-gen4-image", methods=["POST"], endpoint="create_as_segmind"),
        *vendor_routes.RULES,
        Rule("/problems/<code>", methods=["GET"], endpoint="problem"),
        Rule("/v1/uploads", methods=["POST"], endpoint="upload"),
    ],
    strict_slashes=False,
)


class HttpDoor(HttpEntry):
    """The routes that frontends and back ends call."""

    def __init__(  # noqa: PLR0913, PLR0917 - the collaborators
        self,
        core: Callable[[], Core],
        auth: Authenticator,
        bodies: Bodies,
        cors: Cors,
        clock: Clock,
        timeouts: Timeouts,
        uploads_bucket: str | None,
        pages: Pages,
    ) -> None:
        self._core, self._auth, self._bodies, self._uploads_bucket = core, auth, bodies, uploads_bucket
        self._timeouts = timeouts
        endpoints = {
            "index": pages.index,
            "openapi": pages.openapi,
            "problem": lambda call: problem_pages.page(call.arguments["code"]),
            "playground_file": pages.playground_file,
            "health": self._health,
            "create": self._create,
            "create_as_segmind": self._create_as_segmind,
            "show": self._show,
            "content": self._content,
            "delete": self._delete,
            "usage": self._usage,
            "submit": self._submit,
            "submitted_status": self._submitted_status,
            "submitted_result": self._submitted_result,
            "upload": self._upload,
        }
        super().__init__("http", ROUTES, endpoints, cors, clock, timeouts.request_seconds)

    def _health(self, call: Call) -> Response:
        del call
        return json_answer({"status": "ok"}, 200)

    def _create(self, call: Call) -> Response:
        return self._created(call, as_image=prefers_image(call.request))

    def _create_as_segmind(self, call: Call) -> Response:
        """Answer like Segmind's own endpoint: with the image's bytes, unless the caller asks for JSON."""
        return self._created(call, as_image=not prefers_json(call.request))

    def _created(self, call: Call, *, as_image: bool) -> Response:
        caller = self._auth.caller(call.request.headers)
        patience = _async_wait(call.request) if self._uploads_bucket else None
        if patience is None:
            order, core = self._order(call, caller), self._core()
            outcome = core.pipeline.service.create(order, call.watch, call.deadline)
            return core.answers.created(outcome, call.watch, call.id, as_image=as_image, vendors_own=call.vendors_own)
        return self._create_async(call, caller, patience, as_image=as_image)

    def _create_async(self, call: Call, caller: Caller, patience: float, *, as_image: bool) -> Response:
        """Queue the order; wait for its end as long as the caller asked for."""
        order, core = self._order(call, caller), self._core()
        with call.watch.step("claim"):
            outcome = core.pipeline.service.accept(order)
        if patience and not outcome.ending:
            later = core.pipeline.service.status(outcome.claim.id, caller.sees, patience)
            outcome = replace(later, replayed=outcome.replayed)
        response = core.answers.created(outcome, call.watch, call.id, as_image=as_image, vendors_own=call.vendors_own)
        response.headers["Preference-Applied"] = f"respond-async, wait={patience:g}" if patience else "respond-async"
        return response

    def _show(self, call: Call) -> Response:
        outcome = self._found(call)
        return self._core().answers.shown(outcome, call.watch, call.id, as_image=prefers_image(call.request))

    def _content(self, call: Call) -> Response:
        return self._core().answers.content(self._found(call), call.watch, call.id)

    def _found(self, call: Call) -> Outcome:
        """Return where the image in the path stands, for a caller who may see it."""
        caller, wait = self._auth.caller(call.request.headers), _wait(call.request)
        return self._core().pipeline.service.status(call.image_id, caller.sees, wait)

    def _delete(self, call: Call) -> Response:
        caller = self._auth.caller(call.request.headers)
        self._core().pipeline.deleting.delete(call.image_id, caller.sees)
        return Response(status=204)

    def _usage(self, call: Call) -> Response:
        caller = self._auth.caller(call.request.headers)
        asked, core = usage.period(call.request.args.to_dict(), self._clock.now()), self._core()
        return json_answer(usage.report(core.pipeline.account, core.pipeline.cap, asked, caller.sees, self._clock), 200)

    def _submit(self, call: Call) -> Response:
        caller = self._auth.caller(call.request.headers)
        if self._uploads_bucket is None:
            raise vendor_routes.queue_missing()
        order, core = self._order(call, caller), self._core()
        with call.watch.step("claim"):
            return vendor_routes.submitted(core.pipeline.service.accept(order), call.request)

    def _submitted_status(self, call: Call) -> Response:
        return vendor_routes.status(self._found(call))

    def _submitted_result(self, call: Call) -> Response:
        outcome = self._found(call)
        return vendor_routes.result(outcome, self._core().answers.signed(outcome, call.watch))

    def _upload(self, call: Call) -> Response:
        caller = self._auth.caller(call.request.headers)
        if self._uploads_bucket is None:
            raise NotFound("This service has no uploads bucket.")
        with call.watch.step("validate"), self._bodies.of(call.request) as body:
            wish = parse_wish(body)
        urls = self._core().upload_urls
        assert urls is not None  # noqa: S101 - made wherever there is an uploads bucket
        with call.watch.step("sign"):
            return json_answer(urls.make(wish, self._rules(caller)), 200)

    def _order(self, call: Call, caller: Caller) -> Order:
        """Return what the caller orders. Raises InvalidRequest with every problem of header and body."""
        with call.watch.step("validate"):
            problems: tuple[Problem, ...] = ()
            key = call.request.headers.get("Idempotency-Key")
            if key is not None and not re.fullmatch(r"[!-~]{1,255}", key):
                problems = (Problem("", "the header Idempotency-Key must be 1 to 255 visible ASCII characters"),)
            request = self._request(call, self._rules(caller), problems)
        return Order(request, "http", owner=caller.owner, key=key)

    def _request(self, call: Call, rules: Rules, problems: tuple[Problem, ...]) -> ImageRequest:
        """Read, check and stage. Large bodies do all of it one after the other: their bytes are gone afterwards."""
        with self._bodies.of(call.request) as body:
            try:
                request = validation.parse(body, rules)
            except InvalidRequest as error:
                raise InvalidRequest(problems + error.problems) from None
            if problems:
                raise InvalidRequest(problems)
            if not any(r.inline for r in request.references):
                return request
            return self._core().staging.stage(request, call.deadline.sooner(self._timeouts.stage_seconds))

    def _rules(self, caller: Caller) -> Rules:
        return Rules(self._uploads_bucket, caller.owner)


def _async_wait(request: Request) -> float | None:
    """Return how long a caller who prefers an asynchronous answer wants to wait for it (RFC 7240); else None."""
    preferences = {k.lower(): v for k, v in parse_dict_header(",".join(request.headers.getlist("Prefer"))).items()}
    if "respond-async" not in preferences:
        return None
    wait = preferences.get("wait") or "0"
    return float(min(int(wait), MAX_WAIT_SECONDS)) if re.fullmatch(r"[0-9]{1,9}", wait) else 0.0


def _wait(request: Request) -> float:
    """Return the seconds that the query asks to wait, as any number that JSON can write. Raises InvalidRequest."""
    texts = request.args.getlist("wait") or ["0"]
    number = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?", texts[0])
    if len(texts) > 1 or not number or not 0 <= float(texts[0]) <= MAX_WAIT_SECONDS:
        detail = f"the query's wait must be a number of seconds from 0 to {MAX_WAIT_SECONDS}"
        raise InvalidRequest((Problem("", detail),))
    return abs(float(texts[0]))
