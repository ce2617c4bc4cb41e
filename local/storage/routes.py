"""From a raw path to a call: it is split before it is decoded, because an object's name may hold slashes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from local.storage import cors, errors
from local.storage.admin import AdminApi, State
from local.storage.json_api import JsonApi
from local.storage.request import Request, Response
from local.storage.xml_api import XmlApi

if TYPE_CHECKING:
    from local.storage.signatures import Verifier

Route = Callable[[Request], Response]
Targeted = Callable[[Request, str, str], Response]

OBJECT = re.compile(r"/(?:download/)?storage/v1/b/([^/]+)/o/([^/]+)")
OBJECTS = re.compile(r"/storage/v1/b/([^/]+)/o")
UPLOAD = re.compile(r"/(?:resumable/)?upload/storage/v1/b/([^/]+)/o")
BUCKET = re.compile(r"/storage/v1/b(?:/([^/]+))?")
COMPOSE = re.compile(r"/storage/v1/b/([^/]+)/o/([^/]+)/compose")
COPY = re.compile(r"/storage/v1/b/([^/]+)/o/([^/]+)/(copyTo|rewriteTo)/b/([^/]+)/o/([^/]+)")
ADMIN = re.compile(r"/_local/(\w+)")
JSON_PATHS = ("/storage/v1/", "/upload/", "/resumable/", "/download/", "/batch/", "/_local/")
XML = re.compile(r"/([^/]+)/(.+)")


class Router:
    """Resolves a request to the call that answers it, filling in `bucket` and `name` on the way."""

    def __init__(self, state: State, verifier: Verifier) -> None:
        self._state = state
        self._json = JsonApi(state.buckets, state.objects)
        self._xml = XmlApi(state.buckets, state.objects, verifier)
        self._admin = AdminApi(state)

    def resolve(self, request: Request) -> Route:
        """Return the call for this request; raises 404 for what is not played."""
        finders = (
            self._object,
            self._upload,
            self._objects,
            self._copy,
            self._compose,
            self._bucket,
            self._local,
        )
        for find in finders:
            route = find(request)
            if route:
                return route
        return self._signed(request)

    def _object(self, request: Request) -> Route | None:
        match = OBJECT.fullmatch(request.path)
        if not match:
            return None
        request.bucket, request.name = unquote(match[1]), unquote(match[2])
        return _method(
            request,
            GET=self._json.download_object if request.path.startswith("/download") else self._json.get_object,
            PATCH=self._json.patch_object,
            PUT=self._json.update_object,
            DELETE=self._json.delete_object,
        )

    def _upload(self, request: Request) -> Route | None:
        match = UPLOAD.fullmatch(request.path)
        if not match:
            return None
        request.bucket = unquote(match[1])
        self._state.buckets.get(request.bucket)
        uploads = self._state.uploads
        upload = uploads.identify(request)
        if upload is None:
            return _method(request, PUT=uploads.resume, POST=uploads.resume, DELETE=uploads.cancel)
        return _method(request, POST=lambda call: uploads.insert(call, upload))

    def _objects(self, request: Request) -> Route | None:
        match = OBJECTS.fullmatch(request.path)
        if not match:
            return None
        request.bucket = unquote(match[1])
        return _method(request, GET=self._json.list_objects)

    def _copy(self, request: Request) -> Route | None:
        match = COPY.fullmatch(request.path)
        if not match:
            return None
        request.bucket, request.name = unquote(match[1]), unquote(match[2])
        call: Targeted = self._json.rewrite_object if match[3] == "rewriteTo" else self._json.copy_object
        bucket, name = unquote(match[4]), unquote(match[5])
        return _method(request, POST=lambda request: call(request, bucket, name))

    def _compose(self, request: Request) -> Route | None:
        match = COMPOSE.fullmatch(request.path)
        if not match:
            return None
        request.bucket, request.name = unquote(match[1]), unquote(match[2])
        return _method(request, POST=self._json.compose_object)

    def _bucket(self, request: Request) -> Route | None:
        match = BUCKET.fullmatch(request.path)
        if not match:
            return None
        request.bucket = unquote(match[1] or "")
        if not request.bucket:
            return _method(request, GET=self._json.list_buckets, POST=self._json.create_bucket)
        return _method(
            request,
            GET=self._json.get_bucket,
            PATCH=self._json.patch_bucket,
            PUT=self._json.patch_bucket,
            DELETE=self._json.delete_bucket,
        )

    def _local(self, request: Request) -> Route | None:
        match = ADMIN.fullmatch(request.path)
        if not match:
            return None
        calls: dict[str, dict[str, Route]] = {
            "health": {"GET": self._admin.health},
            "token": {"POST": self._admin.token},
            "objects": {"GET": self._admin.list_objects},
            "events": {"GET": self._admin.list_events},
            "calls": {"GET": self._admin.list_calls},
            "faults": {"GET": self._admin.list_faults, "POST": self._admin.add_fault},
            "clear": {"POST": self._admin.clear},
        }
        return _method(request, **calls.get(match[1], {}))

    def _signed(self, request: Request) -> Route:
        match = XML.fullmatch(request.path)
        if not match or not is_xml(request):
            raise errors.no_such_route(request.method, request.path)
        request.bucket, request.name = unquote(match[1]), unquote(match[2])
        return _method(
            request,
            GET=self._xml.get,
            HEAD=self._xml.get,
            PUT=self._xml.put,
            DELETE=self._xml.delete,
            OPTIONS=self._preflight,
        )

    def _preflight(self, request: Request) -> Response:
        return Response(200, cors.preflight_headers(self._state.buckets.get(request.bucket), request))


def _method(request: Request, **calls: Route) -> Route:
    """Return the call for this verb; raises 404 where there is none."""
    call = calls.get(request.method)
    if call is None:
        raise errors.no_such_route(request.method, request.path)
    return call


def is_xml(request: Request) -> bool:
    """Whether the caller speaks the XML API, whose errors are XML and whose answers carry CORS headers."""
    return not request.path.startswith(JSON_PATHS)
