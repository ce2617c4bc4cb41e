"""The routes, and what happens around each of them: scripted fault, refusal, CORS, call log.

Routes match the path as it was sent, and each segment is decoded afterwards, because an object's name may hold slashes.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote

from flask import Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable
from werkzeug.routing import BaseConverter

from local.events import Events
from local.storage import cors
from local.storage.errors import StorageError
from local.storage.faults import Fault, Faults
from local.storage.json_api import JsonApi
from local.storage.signatures import Verifier
from local.storage.signed_urls import SignedUrls
from local.storage.store import Store
from local.storage.uploads import Uploads

JSON_PATHS = ("/storage/v1/", "/upload/", "/download/", "/batch/", "/_local/")
REMEMBERED_CALLS = 100_000


class Call(NamedTuple):
    """One line of the call log; status 0 means that no answer was given."""

    method: str
    path: str
    name: str
    status: int


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


class App(Flask):
    """Answers calls on `store`; `hang_up` ends one without an answer."""

    def __init__(self, store: Store, events: Events, verifier: Verifier, hang_up: Callable[[], Response]) -> None:
        super().__init__(__name__, static_folder=None)
        self.config.update(PROVIDE_AUTOMATIC_OPTIONS=False, PROPAGATE_EXCEPTIONS=True)
        self.url_map.converters |= {"segment": _Segment, "bucket": _Bucket, "name": _Name}
        self.url_map.merge_slashes = False
        self.faults, self.uploads = Faults(), Uploads(store)
        self.calls: deque[Call] = deque(maxlen=REMEMBERED_CALLS)
        self._store, self._hang_up = store, hang_up
        self._add_json_routes(JsonApi(store))
        self._add_signed_routes(SignedUrls(store, verifier))
        _add_own_routes(self, store, events)
        self.register_error_handler(StorageError, _refusal)
        self.register_error_handler(HTTPException, _not_played)

    def _add_json_routes(self, api: JsonApi) -> None:
        objects = "/storage/v1/b/<segment:bucket>/o"
        one = objects + "/<segment:name>"
        self.post("/storage/v1/b")(api.create_bucket)
        self.get("/storage/v1/b/<segment:bucket>")(api.get_bucket)
        self.get(objects)(api.list_objects)
        self.get(one)(api.get_object)
        self.delete(one)(api.delete_object)
        self.get("/download" + one)(api.get_object)
        self.post("/upload" + objects, endpoint="upload insert")(self.uploads.insert)
        self.put("/upload" + objects, endpoint="upload resume")(self.uploads.resume)

    def _add_signed_routes(self, urls: SignedUrls) -> None:
        views = {"GET": urls.get, "PUT": urls.put, "DELETE": urls.delete, "OPTIONS": urls.preflight}
        for method, view in views.items():
            self.add_url_rule("/<bucket:bucket>/<name:name>", f"signed {method}", view, methods=[method])

    def dispatch_request(self) -> ResponseReturnValue:
        """Answer the call, or do with it what a scripted fault says."""
        if request.routing_exception or request.path.startswith("/_local/"):
            return super().dispatch_request()
        is_upload = (request.endpoint or "").startswith("upload")
        g.object = self.uploads.identify() if is_upload else (request.view_args or {}).get("name", "")
        fault = self.faults.take(request.method, request.path, g.object)
        return self._spoilt(fault) if fault else super().dispatch_request()

    def _spoilt(self, fault: Fault) -> ResponseReturnValue:
        if fault.applied:
            with suppress(StorageError):
                super().dispatch_request()
        if fault.kind == "answer":
            raise StorageError("ScriptedFault", status=fault.status)
        if fault.kind == "cut":  # the head of the whole and half of the body: the server closes after it
            response = self.make_response(super().dispatch_request())
            length = response.content_length or 0
            response.set_data(response.get_data()[: length // 2])
            response.content_length = length
            return response
        if fault.kind == "hang":
            self.faults.wait()
        self._log(0)
        return self._hang_up()

    def process_response(self, response: Response) -> Response:
        """Say which pages may read the answer, and log the call."""
        if request.view_args and not request.path.startswith(JSON_PATHS) and request.method != "OPTIONS":
            with suppress(StorageError):
                bucket = self._store.bucket(request.view_args["bucket"])
                response.headers.update(cors.response_headers(bucket, request))
        if not request.path.startswith("/_local/"):
            self._log(response.status_code)
        return response

    def _log(self, status: int) -> None:
        self.calls.append(Call(request.method, request.path, g.get("object", ""), status))


def _add_own_routes(app: Flask, store: Store, events: Events) -> None:
    """Add the routes that Google does not have, for the tests and commands of other processes."""

    @app.get("/_local/health")
    def health() -> ResponseReturnValue:
        return {"status": "ok"}

    @app.post("/_local/token")
    def token() -> ResponseReturnValue:
        """Hand out an access token, for a key file whose `token_uri` points here; no call asks to see it."""
        return {"access_token": "local", "token_type": "Bearer", "expires_in": 3600}

    @app.get("/_local/objects")
    def objects() -> ResponseReturnValue:
        """Return the objects of `?bucket=`, with the whole resource of each."""
        found = store.named(request.args.get("bucket", ""), request.args.get("prefix", ""))
        return jsonify([item.resource(request.host_url[:-1]) for item in found])

    @app.get("/_local/events")
    def finalized() -> ResponseReturnValue:
        """Return how many events wait and were taken, and each one of `?bucket=` and `&name=`, where given."""
        return events.report(request.args.get("bucket", ""), request.args.get("name", ""))


def _refusal(error: StorageError) -> Response:
    if request.path.startswith(JSON_PATHS):
        return Response(error.as_json(), error.status, content_type="application/json; charset=UTF-8")
    return Response(error.as_xml(), error.status, content_type="application/xml; charset=UTF-8")


def _not_played(error: HTTPException) -> Response:
    """Say that a call is not played, so that a missing feature is seen and never guessed."""
    if isinstance(error, RequestedRangeNotSatisfiable):
        return _refusal(StorageError("InvalidRange"))
    return _refusal(StorageError("NotFound", f"The local storage does not play {request.method} {request.path}"))
