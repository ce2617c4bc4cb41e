"""What every HTTP entry point does around its routes: match, answer problems, add headers, log. Never a stack trace."""

import re
import secrets
from dataclasses import replace

from flask import Request, Response
from werkzeug import exceptions
from werkzeug.routing import Map, Rule

from imagegen import errors, log
from imagegen.doors import request_bodies
from imagegen.doors.answers import bug_answer, problem_answer
from imagegen.doors.call import Call, Endpoint
from imagegen.doors.cors import PREFLIGHT, Cors
from imagegen.failure import ServiceError
from imagegen.model import Door
from imagegen.ports import Clock, Deadline
from imagegen.stopwatch import Stopwatch


class HttpEntry:
    """An entry point. The endpoints of its routes are names of methods: its own, unless `endpoint` is overridden."""

    def __init__(self, door: Door, routes: Map, cors: Cors, clock: Clock, request_seconds: float) -> None:
        self._door, self._routes, self._cors = door, routes, cors
        self._clock, self._request_seconds = clock, request_seconds

    def endpoint(self, name: str) -> Endpoint:
        """Return what answers a route."""
        found: Endpoint = getattr(self, name)
        return found

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
                return "(preflight)", Response(status=204, headers=PREFLIGHT)
            rule, arguments = self._match(request)
            route = rule.rule
            return route, self.endpoint(rule.endpoint)(replace(call, arguments=arguments))
        except ServiceError as error:
            return route, problem_answer(error, call.id, request.path)
        except Exception as error:  # noqa: BLE001 - the last line of defence
            return route, bug_answer(error, call.id, request.path)

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
