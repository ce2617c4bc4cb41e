"""The whole function in this process, over the two fakes' sockets; only its clock is not real: it does not sleep."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Request
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from imagegen.wiring import App
from local.storage import StorageServer
from mock_segmind import FakeSegmind
from tests.harness.clock import HastyClock
from tests.harness.orders import order

PROMPT = "a red bicycle"


class HastyApp(App):
    """The deployed app, with a clock that does not sleep."""

    @cached_property
    def clock(self) -> HastyClock:
        return HastyClock()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller gets."""

    status: int
    headers: Headers
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON, asserted on
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The problem's code, of an error or of a failed image; None for an image."""
        found: str | None = self.json.get("code")
        return found


class Rig:
    """One instance of the function, and the world around it."""

    def __init__(self, app: HastyApp, segmind: FakeSegmind, storage: StorageServer) -> None:
        self.app, self.segmind, self.storage = app, segmind, storage

    def order(self, key: str | None = None, prompt: str = PROMPT, **fields: object) -> Answer:
        """Order an image over the HTTP door."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.call("POST", "/v1/images", order(prompt, **fields), headers)

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Call the HTTP door; a body is sent as JSON."""
        data, kind = (None, None) if body is None else (json.dumps(body), "application/json")
        builder = EnvironBuilder(path, method=method, headers=Headers(headers or {}), data=data, content_type=kind)
        response = self.app.http.respond(Request(builder.get_environ()))
        return Answer(response.status_code, response.headers, response.get_data())

    def left(self) -> list[str]:
        """Return what is left of jobs and slots: of jobs the last part of the name, of slots `slot`."""
        names = [name for name in self.storage.objects("results") if name.startswith(("jobs/", "spend/"))]
        return sorted("slot" if name.startswith("spend/") else name.rpartition("/")[2] for name in names)

    def end_lease(self) -> None:
        self.app.clock.sleep(24 * 3600)

    @property
    def calls(self) -> int:
        """How many images Segmind was asked for."""
        return len(self.segmind.ledger.generations())

    @property
    def billed(self) -> int:
        """How many images Segmind billed, by now."""
        self.segmind.ledger.settle()
        return len(self.segmind.ledger.billed())


MakeRig = Callable[..., Rig]
