"""The routes, and what happens around each of them: scripted fault, refusal, CORS, call log.

Routes match the path as it was sent, and each segment is decoded afterwards, because an object's name may hold slashes.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable
from werkzeug.routing import BaseConverter

from local.storage import admin, cors, errors
from local.storage.errors import StorageError
from local.storage.json_api import JsonApi
from local.storage.signed_urls import SignedUrls

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from local.events import Events
    from local.storage.faults import Fault, Faults
    from local.storage.signatures import Verifier
    from local.storage.store import Store
    from local.storage.uploads import Uploads

JSON_PATHS = ("/storage/v1/", "/upload/", "/download/", "/batch/", "/_local/")


class Call(NamedTuple):
    """One line of the call log; status 0 means that no answer was given."""

    method: str
    path: str
    name: str
    status: int


@dataclass(frozen=True, slots=True)
class State:
    """Everything the server knows, and the one way to forget it."""

    store: Store
    uploads: Uploads
    events: Events
    faults: Faults
    calls: deque[Call]

    def clear(self) -> None:
        """Forget objects, events, buckets, sessions, faults and calls."""
        for part in (self.faults, self.events, self.uploads, self.store, self.calls):
            part.clear()


class _Segment(BaseConverter):
    """One segment of the path, decoded."""

    def to_python(self, value: str) -> str:
        return unquote(value)


class _Bucket(_Segment):
    """A first segment that is none of the JSON API's."""

    regex = "(?!(?:storage|upload|download|batch|_local)(?:/|$))[^/]+"


class _Name(_Segment):
    """The rest of the path."""

    regex = ".+"
    part_isolating = False


def create_app(state: State, verifier: Verifier, hang_up: Callable[[], Response]) -> Flask:
    """Return the application; `hang_up` ends a call without an answer."""
    app = Flask(__name__, static_folder=None)
    app.config.update(PROVIDE_AUTOMATIC_OPTIONS=False, PROPAGATE_EXCEPTIONS=True)
    app.url_map.converters |= {"segment": _Segment, "bucket": _Bucket, "name": _Name}
    app.url_map.merge_slashes = False
    _add_json_routes(app, state)
    _add_signed_routes(app, SignedUrls(state.store, verifier))
    admin.add_routes(app, state)
    _Around(app, state, hang_up).register()
    return app


def _add_json_routes(app: Flask, state: State) -> None:
    api, objects = JsonApi(state.store), "/storage/v1/b/<segment:bucket>/o"
    one = objects + "/<segment:name>"
    app.get("/storage/v1/b")(api.list_buckets)
    app.post("/storage/v1/b")(api.create_bucket)
    app.get("/storage/v1/b/<segment:bucket>")(api.get_bucket)
    app.get(objects)(api.list_objects)
    app.get(one)(api.get_object)
    app.delete(one)(api.delete_object)
    app.get("/download" + one)(api.download)
    app.post("/upload" + objects, endpoint="insert")(state.uploads.insert)
    app.put("/upload" + objects, endpoint="resume")(state.uploads.resume)


def _add_signed_routes(app: Flask, urls: SignedUrls) -> None:
    for method, view in {"GET": urls.get, "PUT": urls.put, "DELETE": urls.delete, "OPTIONS": urls.preflight}.items():
        app.add_url_rule("/<bucket:bucket>/<name:name>", f"signed {method}", view, methods=[method])


@dataclass(frozen=True, slots=True)
class _Around:
    """What happens before and after a route."""

    app: Flask
    state: State
    hang_up: Callable[[], Response]

    def register(self) -> None:
        self.app.before_request(self.before)
        self.app.after_request(self.after)
        self.app.register_error_handler(StorageError, _refusal)
        self.app.register_error_handler(HTTPException, _not_played)

    def before(self) -> ResponseReturnValue | None:
        """Find out which object the call is about, and have a scripted fault answer it."""
        if request.routing_exception or request.path.startswith("/_local/"):
            return None
        uploads = request.endpoint in {"insert", "resume"}
        g.object = self.state.uploads.identify() if uploads else (request.view_args or {}).get("name", "")
        fault = self.state.faults.take(request.method, request.path, g.object)
        return self._spoilt(fault) if fault else None

    def _spoilt(self, fault: Fault) -> ResponseReturnValue | None:
        if fault.applied:
            with suppress(StorageError):
                self.app.dispatch_request()
        if fault.kind == "answer":
            raise StorageError(fault.status, "ScriptedFault", "A fault was scripted for this call.")
        if fault.kind == "cut":
            return _halved(self.app.make_response(self.app.dispatch_request()))
        if fault.kind == "slow" and not self.state.faults.wait(fault.seconds):
            return None
        if fault.kind == "hang":
            self.state.faults.wait()
        self._log(0)
        return self.hang_up()

    def after(self, response: Response) -> Response:
        """Say which pages may read the answer, and log the call."""
        if not request.path.startswith(JSON_PATHS) and request.view_args and request.method != "OPTIONS":
            with suppress(StorageError):
                bucket = self.state.store.bucket(request.view_args["bucket"])
                response.headers.update(cors.response_headers(bucket, request))
        if not request.path.startswith("/_local/"):
            self._log(response.status_code)
        return response

    def _log(self, status: int) -> None:
        self.state.calls.append(Call(request.method, request.path, g.get("object", ""), status))


def _halved(response: Response) -> Response:
    """Return the answer with the head of the whole and half of the body: the server closes after it."""
    length = response.content_length or 0
    response.set_data(response.get_data()[: length // 2])
    response.content_length = length
    return response


def _refusal(error: StorageError) -> Response:
    if request.path.startswith(JSON_PATHS):
        return Response(error.as_json(), error.status, content_type="application/json; charset=UTF-8")
    return Response(error.as_xml(), error.status, content_type="application/xml; charset=UTF-8")


def _not_played(error: HTTPException) -> Response:
    out_of_range = isinstance(error, RequestedRangeNotSatisfiable)
    return _refusal(
        errors.range_not_satisfiable() if out_of_range else errors.no_such_route(request.method, request.path)
    )
