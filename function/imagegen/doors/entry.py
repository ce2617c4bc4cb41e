"""What every HTTP entry point does around its routes: match, answer problems, add headers, log. Never a stack trace."""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from flask import Request, Response
from werkzeug import exceptions
from werkzeug.datastructures import MultiDict
from werkzeug.routing import Map, Rule

from imagegen import errors, log
from imagegen.doors import request_bodies
from imagegen.doors.answers import bug_answer, problem_answer
from imagegen.doors.cors import Cors
from imagegen.doors.vendor_routes import is_vendors_own
from imagegen.failure import Problem, ServiceError
from imagegen.model import Door
from imagegen.ports import Clock, Deadline
from imagegen.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request on its way through."""

    request: Request
    id: str
    watch: Stopwatch
    deadline: Deadline  # of the whole request, from its first byte
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def vendors_own(self) -> bool:
        """Whether the path is one of Segmind's own, whose clients read `error`."""
        return is_vendors_own(self.request.path)

    @property
    def query(self) -> MultiDict[str, str]:
        """The query's fields. Raises InvalidRequest where it is not UTF-8."""
        try:
            return self.request.args
        except UnicodeDecodeError:
            raise errors.InvalidRequest((Problem("", "the query is not UTF-8"),)) from None

    @property
    def image_id(self) -> str:
        """The id in the path. Raises NotFound where it cannot be one."""
        found = self.arguments.get("image_id", "")
        if not re.fullmatch(r"[a-z2-7]{26}", found):
            raise errors.NotFound("There is no image with this id.")
        return found


Endpoint = Callable[[Call], Response]


class HttpEntry:
    """An entry point: a map of routes, and an endpoint for each."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that surrounds a call
        self,
        door: Door,
        routes: Map,
        endpoints: Mapping[str, Endpoint],
        cors: Cors,
        clock: Clock,
        request_seconds: float,
    ) -> None:
        self._door, self._routes, self._endpoints = door, routes, endpoints
        self._cors, self._clock, self._request_seconds = cors, clock, request_seconds

    def respond(self, request: Request) -> Response:
        """Return the answer to `request`. An error of ours becomes a problem document like any other."""
        watch, request_id = Stopwatch(self._clock), _request_id(request)
        call = Call(request, request_id, watch, Deadline.within(self._clock, self._request_seconds))
        with log.about(request_id, self._door, _trace(request)):
            route, response = self._routed(call)
            request_bodies.finish(request)
            response.headers.setdefault("X-Request-Id", request_id)
            response.headers["Server-Timing"] = watch.header()
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers.update(self._cors.headers(request.headers.get("Origin")))
            log.request_ended(request.method, route, response.status_code, watch.total_seconds)
        return response

    def _routed(self, call: Call) -> tuple[str, Response]:
        """Return the route's pattern and the answer."""
        route, request = "(none)", call.request
        try:
            if request.method == "OPTIONS" and self._cors.configured:
                return "(preflight)", Response(status=204, headers=dict(self._cors.preflight()))
            rule, arguments = self._match(request)
            route = rule.rule
            return route, self._endpoints[rule.endpoint](replace(call, arguments=arguments))
        except ServiceError as error:
            return route, problem_answer(error, call.id, vendors_own=call.vendors_own)
        except Exception as error:  # noqa: BLE001 - the last line of defence
            return route, bug_answer(error, call.id, vendors_own=call.vendors_own)

    def _match(self, request: Request) -> tuple[Rule, dict[str, str]]:
        adapter = self._routes.bind("localhost", path_info=request.path, default_method=request.method)
        try:
            rule, arguments = adapter.match(return_rule=True)
        except exceptions.MethodNotAllowed as e:
            raise errors.MethodNotAllowed(tuple(sorted(e.valid_methods or ()))) from None
        except exceptions.HTTPException:
            raise errors.NotFound("There is no such route.") from None
        return rule, {str(k): str(v) for k, v in arguments.items()}


def _request_id(request: Request) -> str:
    given = request.headers.get("X-Request-Id", "")
    return given if re.fullmatch(r"[A-Za-z0-9._:-]{1,128}", given) else secrets.token_hex(16)


def _trace(request: Request) -> str | None:
    """Return the trace id of Cloud Run's own header or of W3C's."""
    own = request.headers.get("X-Cloud-Trace-Context", "").partition("/")[0]
    w3c = request.headers.get("traceparent", "").split("-")
    found = own or (w3c[1] if len(w3c) > 1 else "")
    return found if re.fullmatch(r"[0-9a-fA-F]{32}", found) else None
