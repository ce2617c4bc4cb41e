"""Flask ↔ core: routes, headers, statuses. No decision about images or money is made here."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from flask import Request, Response
from werkzeug import exceptions
from werkzeug.routing import Map, Rule

from imagegen import errors, log, validation
from imagegen.answers import Answers, json_answer, problem_answer
from imagegen.auth import Authenticator, Caller
from imagegen.bodies import Bodies
from imagegen.cors import Cors
from imagegen.errors import InvalidRequest, Problem
from imagegen.model import Order
from imagegen.ports import Clock
from imagegen.service import ImageService
from imagegen.stopwatch import Stopwatch

MAX_WAIT_SECONDS = 60
ROUTES = Map(
    [
        Rule("/", methods=["GET"], endpoint="index"),
        Rule("/", methods=["POST"], endpoint="create"),
        Rule("/health", methods=["GET"], endpoint="health"),
        Rule("/v1/images", methods=["POST"], endpoint="create"),
        Rule("/v1/images/<image_id>", methods=["GET"], endpoint="show"),
        Rule("/v1/images/<image_id>/content", methods=["GET"], endpoint="content"),
    ],
    strict_slashes=False,
)


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request on its way through."""

    request: Request
    id: str
    watch: Stopwatch
    arguments: dict[str, str]

    @property
    def image_id(self) -> str:
        """The id in the path. Raises NotFound where it cannot be one."""
        found = self.arguments.get("image_id", "")
        if not re.fullmatch(r"[a-z2-7]{26}", found):
            raise errors.NotFound("There is no image with this id.")
        return found


@dataclass(frozen=True, slots=True)
class Core:
    """What answers need of the core. Made on first use: it imports the storage client."""

    service: ImageService
    answers: Answers


class HttpDoor:
    """The HTTP door. `respond` answers every request, whatever happens."""

    def __init__(self, core: Callable[[], Core], auth: Authenticator, bodies: Bodies, cors: Cors, clock: Clock) -> None:
        self._core, self._auth, self._bodies, self._cors, self._clock = core, auth, bodies, cors, clock
        self._endpoints: dict[str, Callable[[Call], Response]] = {
            "index": self._index,
            "health": self._health,
            "create": self._create,
            "show": self._show,
            "content": self._content,
        }

    def respond(self, request: Request) -> Response:
        """Return the answer to `request`. An error of ours becomes a problem document like any other."""
        watch, request_id = Stopwatch(self._clock), _request_id(request)
        with log.about(request_id, "http", _trace(request)):
            route, response = self._routed(request, request_id, watch)
            response.headers.setdefault("X-Request-Id", request_id)
            response.headers["Server-Timing"] = watch.header()
            response.headers["Cache-Control"] = "no-store"
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers.update(self._cors.headers(request.headers.get("Origin")))
            log.request_ended(request.method, route, response.status_code, watch.total_seconds)
        return response

    def _routed(self, request: Request, request_id: str, watch: Stopwatch) -> tuple[str, Response]:
        """Return the route's pattern and the answer."""
        route = "(none)"
        try:
            if request.method == "OPTIONS" and self._cors.configured:
                return "(preflight)", Response(status=204, headers=dict(self._cors.preflight()))
            rule, arguments = _match(request)
            route = rule.rule
            return route, self._endpoints[rule.endpoint](Call(request, request_id, watch, arguments))
        except errors.ServiceError as error:
            return route, problem_answer(error, request_id)
        except Exception as error:  # noqa: BLE001 - the last line of defence: no stack trace leaves this process
            log.bug(error)
            return route, problem_answer(errors.Internal("Something went wrong inside this service."), request_id)

    def _index(self, call: Call) -> Response:
        del call
        return json_answer(
            {"routes": [f"{method} {rule.rule}" for rule in ROUTES.iter_rules() for method in _shown(rule)]},
            200,
        )

    def _health(self, call: Call) -> Response:
        del call
        return json_answer({"status": "ok"}, 200)

    def _create(self, call: Call) -> Response:
        caller = self._auth.caller(call.request.headers)
        order = self._order(call, caller)
        core = self._core()
        outcome = core.service.create(order, call.watch)
        return core.answers.created(outcome, call.request, call.watch, call.id)

    def _show(self, call: Call) -> Response:
        core, caller = self._core(), self._auth.caller(call.request.headers)
        outcome = core.service.status(call.image_id, caller.sees, _wait(call.request))
        return core.answers.shown(outcome, call.request, call.watch, call.id)

    def _content(self, call: Call) -> Response:
        core, caller = self._core(), self._auth.caller(call.request.headers)
        outcome = core.service.status(call.image_id, caller.sees, _wait(call.request))
        return core.answers.content(outcome, call.watch, call.id)

    def _order(self, call: Call, caller: Caller) -> Order:
        """Return what the caller orders. Raises InvalidRequest with every problem of header and body."""
        with call.watch.step("validate"):
            problems: tuple[Problem, ...] = ()
            key = call.request.headers.get("Idempotency-Key")
            if key is not None and not re.fullmatch(r"[!-~]{1,255}", key):
                problems = (Problem("", "the header Idempotency-Key must be 1 to 255 visible ASCII characters"),)
            try:
                with self._bodies.of(call.request) as body:
                    request = validation.parse(body)
            except InvalidRequest as error:
                problems += error.problems
            if problems:
                raise InvalidRequest(problems)
            return Order(request, "http", owner=caller.owner, key=key)


def _match(request: Request) -> tuple[Rule, dict[str, str]]:
    adapter = ROUTES.bind(request.host, path_info=request.path, default_method=request.method)
    try:
        rule, arguments = adapter.match(return_rule=True)
    except exceptions.MethodNotAllowed as e:
        raise errors.MethodNotAllowed(tuple(sorted(e.valid_methods or ()))) from None
    except exceptions.HTTPException:
        raise errors.NotFound("There is no such route.") from None
    return rule, {str(k): str(v) for k, v in arguments.items()}


def _wait(request: Request) -> float:
    text = request.args.get("wait", "0")
    if not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,3})?", text) or float(text) > MAX_WAIT_SECONDS:
        raise InvalidRequest(
            (Problem("", f"the query's wait must be a number of seconds from 0 to {MAX_WAIT_SECONDS}"),)
        )
    return float(text)


def _shown(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def _request_id(request: Request) -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", given) else secrets.token_hex(16)


def _trace(request: Request) -> str | None:
    """Return the trace id of Cloud Run's own header or of W3C's."""
    own = request.headers.get("X-Cloud-Trace-Context", "").partition("/")[0]
    w3c = request.headers.get("traceparent", "").split("-")
    found = own or (w3c[1] if len(w3c) > 1 else "")
    return found if re.fullmatch(r"[0-9a-fA-F]{32}", found) else None
