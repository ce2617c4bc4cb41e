"""One request in, one answer out: route, scripted fault, refusal, CORS, call log. No sockets here."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from local.storage import cors
from local.storage.admin import Call, State
from local.storage.errors import StorageError
from local.storage.faults import Fault, Faults
from local.storage.request import Request, Response
from local.storage.routes import Route, Router, is_xml


class HangUpError(ConnectionError):
    """A fault wants this call to end without an answer."""


class App:
    """Answers requests; raises `HangUpError` where a fault says that there is no answer."""

    def __init__(self, state: State, router: Router) -> None:
        self._state = state
        self._router = router

    def respond(self, request: Request) -> Response:
        """Return the answer, whatever happens, noted in the call log."""
        if request.path.startswith("/_local/"):
            return self._answered(request, Faults())
        status = 0
        try:
            response = self._with_cors(request, self._answered(request, self._state.faults))
            status = response.status
        finally:
            self._state.calls.append(Call(request.method, request.path, request.name, status))
        return response

    def _answered(self, request: Request, faults: Faults) -> Response:
        try:
            route = self._router.resolve(request)
            fault = faults.take(request)
            return self._spoilt(fault, route, request) if fault else route(request)
        except StorageError as error:
            return _refusal(request, error)

    def _spoilt(self, fault: Fault, route: Route, request: Request) -> Response:
        if fault.applied:
            with suppress(StorageError):
                route(request).close()
        if fault.kind == "answer":
            raise StorageError(fault.status, "ScriptedFault", "A fault was scripted for this call.")
        if fault.kind == "cut":
            return replace(route(request), cut=True)
        if fault.kind == "slow" and not self._state.faults.wait(fault.seconds):
            return route(request)
        if fault.kind == "hang":
            self._state.faults.wait()
        raise HangUpError

    def _with_cors(self, request: Request, response: Response) -> Response:
        if not is_xml(request) or not request.headers.get("Origin") or request.method == "OPTIONS":
            return response
        with suppress(StorageError):
            granted = cors.response_headers(self._state.buckets.get(request.bucket), request)
            return replace(response, headers={**response.headers, **granted})
        return response


def _refusal(request: Request, error: StorageError) -> Response:
    if is_xml(request):
        return Response(error.status, {"Content-Type": "application/xml; charset=UTF-8"}, error.as_xml())
    return Response(error.status, {"Content-Type": "application/json; charset=UTF-8"}, error.as_json())
