"""One request in, one answer out: route, scripted fault, refusal, CORS, call log. No sockets here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule

from local.storage import cors, errors
from local.storage.errors import StorageError
from local.storage.faults import Fault, Faults
from local.storage.json_api import JsonApi
from local.storage.request import Request
from local.storage.response import Response, json_response
from local.storage.uploads import Uploads
from local.storage.xml_api import XmlApi

if TYPE_CHECKING:
    from local.events import Events
    from local.storage.buckets import Buckets
    from local.storage.signatures import Verifier
    from local.storage.store import Objects

Endpoint = Callable[[Request], Response]
REMEMBERED_CALLS = 100_000


class HangUpError(ConnectionError):
    """A fault wants this call to end without an answer."""


class Call(NamedTuple):
    """One line of the call log; status 0 means that no answer was given."""

    method: str
    path: str
    name: str
    status: int


class Name(BaseConverter):
    """One segment of a path that is split before it is decoded, because an object's name may hold slashes."""

    def to_python(self, value: str) -> str:
        return unquote(value)


class Bucket(Name):
    """The bucket in a signed URL: whatever does not begin another API's path."""

    regex = r"(?!(?:storage|upload|download|batch|_local)(?:/|$))[^/]+"


class Path(Name):
    """The name of an object in a signed URL: the rest of the path."""

    regex = ".+"
    part_isolating = False


@dataclass(slots=True)
class App:
    """Answers requests; `respond` raises `HangUpError` where a fault says that there is no answer."""

    buckets: Buckets
    objects: Objects
    events: Events
    verifier: Verifier
    uploads: Uploads = field(init=False)
    faults: Faults = field(default_factory=Faults)
    calls: deque[Call] = field(default_factory=lambda: deque(maxlen=REMEMBERED_CALLS))
    _routes: MapAdapter = field(init=False)

    def __post_init__(self) -> None:
        self.uploads = Uploads(self.objects)
        json_api = JsonApi(self.buckets, self.objects)
        xml_api = XmlApi(self.buckets, self.objects, self.verifier)
        routes: list[tuple[str, str, Endpoint]] = [
            ("GET", "/_local/health", _health),
            ("POST", "/_local/token", _token),
            ("GET", "/_local/objects", self._list_all),
            ("GET", "/_local/events", self._list_events),
            ("POST", "/storage/v1/b", json_api.create_bucket),
            ("GET", "/storage/v1/b/<n:bucket>", json_api.get_bucket),
            ("GET", "/storage/v1/b/<n:bucket>/o", json_api.list_objects),
            ("GET", "/storage/v1/b/<n:bucket>/o/<n:name>", json_api.get_object),
            ("DELETE", "/storage/v1/b/<n:bucket>/o/<n:name>", json_api.delete_object),
            ("GET", "/download/storage/v1/b/<n:bucket>/o/<n:name>", json_api.get_object),
            ("POST PUT", "/upload/storage/v1/b/<n:bucket>/o", self.uploads.receive),
            ("GET HEAD", "/<b:bucket>/<p:name>", xml_api.get),
            ("PUT", "/<b:bucket>/<p:name>", xml_api.put),
            ("DELETE", "/<b:bucket>/<p:name>", xml_api.delete),
            ("OPTIONS", "/<b:bucket>/<p:name>", xml_api.preflight),
        ]
        rules = [Rule(path, methods=verbs.split(), endpoint=endpoint) for verbs, path, endpoint in routes]
        self._routes = Map(rules, converters={"n": Name, "b": Bucket, "p": Path}, merge_slashes=False).bind("")

    def clear(self) -> None:
        """Forget objects, events, buckets, sessions, faults and calls."""
        for kept in (self.faults, self.events, self.uploads, self.objects, self.buckets, self.calls):
            kept.clear()

    def respond(self, request: Request) -> Response:
        """Return the answer, whatever happens, noted in the call log."""
        if request.raw_path.startswith("/_local/"):
            return self._answered(request, Faults())
        status = 0
        try:
            response = self._with_cors(request, self._answered(request, self.faults))
            status = response.status
        finally:
            self.calls.append(Call(request.method, request.raw_path, request.name, status))
        return response

    def _answered(self, request: Request, faults: Faults) -> Response:
        try:
            endpoint = self._resolve(request)
            fault = faults.take(request)
            return self._spoilt(fault, endpoint, request) if fault else endpoint(request)
        except StorageError as error:
            return error.response(as_xml=request.is_xml)

    def _resolve(self, request: Request) -> Endpoint:
        """Return what answers the request, filling in its bucket and name; raises 404 for what is not played."""
        try:
            endpoint, names = self._routes.match(request.raw_path, request.method)
        except HTTPException:
            raise errors.no_such_route(request.method, request.raw_path) from None
        request.bucket, request.name = names.get("bucket", ""), names.get("name", "")
        if endpoint == self.uploads.receive:
            self.buckets.get(request.bucket)
            self.uploads.identify(request)
        found: Endpoint = endpoint
        return found

    def _spoilt(self, fault: Fault, endpoint: Endpoint, request: Request) -> Response:
        if fault.applied:
            with suppress(StorageError):
                endpoint(request)
        if fault.kind == "answer":
            raise StorageError(fault.status, "ScriptedFault", "A fault was scripted for this call.")
        if fault.kind == "cut":
            return replace(endpoint(request), cut=True)
        if fault.kind == "slow" and not self.faults.wait(fault.seconds):
            return endpoint(request)
        if fault.kind == "hang":
            self.faults.wait()
        raise HangUpError

    def _with_cors(self, request: Request, response: Response) -> Response:
        if not request.is_xml or not request.headers.get("Origin") or request.method == "OPTIONS":
            return response
        with suppress(StorageError):
            granted = cors.response_headers(self.buckets.get(request.bucket), request)
            return replace(response, headers={**response.headers, **granted})
        return response

    def _list_all(self, request: Request) -> Response:
        """Return the resources of all objects of `?bucket=&prefix=`, without a client."""
        found = self.objects.named(request.args.get("bucket", ""), request.args.get("prefix", ""))
        return json_response([item.resource(request.server_url) for item in found])

    def _list_events(self, request: Request) -> Response:
        """Return how many events wait and were taken, and each one of `?bucket=&name=`, where given."""
        return json_response(self.events.report(request.args.get("bucket", ""), request.args.get("name", "")))


def _health(_request: Request) -> Response:
    return json_response({"status": "ok"})


def _token(_request: Request) -> Response:
    """Return an access token, for a key file whose `token_uri` points here; no call asks for one."""
    return json_response({"access_token": "local", "token_type": "Bearer", "expires_in": 3600})
