"""The routes that Google does not have, under `/_local/`: for tests and people, from any process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from local.storage import errors
from local.storage.faults import Fault, Faults
from local.storage.request import Request, Response, json_response

if TYPE_CHECKING:
    from collections import deque

    from local.events import Events
    from local.storage.buckets import Buckets
    from local.storage.store import Objects
    from local.storage.uploads import Uploads


class Call(NamedTuple):
    """One line of the call log; status 0 means that no answer was given."""

    method: str
    path: str
    name: str
    status: int


@dataclass(frozen=True, slots=True)
class State:
    """Everything the server knows, and the one way to forget it."""

    buckets: Buckets
    objects: Objects
    uploads: Uploads
    events: Events
    faults: Faults
    calls: deque[Call]

    def clear(self) -> None:
        """Forget objects, events, buckets, sessions, faults and calls."""
        self.faults.clear()
        self.events.clear()
        self.uploads.clear()
        self.objects.clear()
        self.buckets.clear()
        self.calls.clear()


@dataclass(frozen=True, slots=True)
class AdminApi:
    """Each method is one call."""

    state: State

    def health(self, _request: Request) -> Response:
        return json_response({"status": "ok"})

    def token(self, _request: Request) -> Response:
        """Hand out an access token, for a key file whose `token_uri` points here; nobody asks to see it."""
        return json_response({"access_token": "local", "token_type": "Bearer", "expires_in": 3600})

    def list_objects(self, request: Request) -> Response:
        """Return the objects of `?bucket=`, with the whole resource of each."""
        found = self.state.objects.named(request.query.get("bucket", ""), request.query.get("prefix", ""))
        return json_response([item.resource(request.base_url) for item in found])

    def list_events(self, request: Request) -> Response:
        """Return how many events wait and were taken, and each one of `?bucket=` and `&name=`, where given."""
        return json_response(self.state.events.report(request.query.get("bucket", ""), request.query.get("name", "")))

    def list_calls(self, _request: Request) -> Response:
        return json_response([call._asdict() for call in self.state.calls])

    def list_faults(self, _request: Request) -> Response:
        return json_response(self.state.faults.listed())

    def add_fault(self, request: Request) -> Response:
        """Add a fault by its fields, such as `{"kind": "answer", "status": 503, "times": 2}`."""
        try:
            fault = Fault(**request.json())  # type: ignore[arg-type]  # what does not fit is answered with 400
        except (TypeError, ValueError) as error:
            raise errors.bad_request(str(error)) from None
        self.state.faults.add(fault)
        return json_response(self.state.faults.listed()[-1], 201)

    def clear(self, _request: Request) -> Response:
        self.state.clear()
        return Response(204)
