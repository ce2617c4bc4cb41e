"""One raw call and how its connection ended: no pool, no retries, no redirects, nothing hidden."""

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mock_segmind import FakeSegmind, Picture
from mock_segmind.replies import Json, JsonObject

V1 = "POST /v1/runway-gen4-image"
V2 = "POST /v2/runway-gen4-image"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client saw. `broken` names the exception that ended it, or is empty."""

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    broken: str = ""

    @property
    def json(self) -> Json:
        value: Json = json.loads(self.body)
        return value

    @property
    def fields(self) -> JsonObject:
        """The body as a JSON object; empty where it is none."""
        try:
            value = self.json
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def request(prompt: str = "a cat", **changes: Json) -> JsonObject:
    """Return the smallest good request, with changes."""
    return {"promptText": prompt, "referenceImages": [], **changes}


def png() -> str:
    """Return an image as a data URL."""
    return "data:image/png;base64," + base64.b64encode(Picture("upload").encoded("png")).decode()


def ask(
    segmind: FakeSegmind,
    body: JsonObject | bytes | str | None = None,
    line: str = V1,
    *,
    key: str | None = None,
    timeout: float = 10,
    **headers: str,
) -> Outcome:
    """Call the fake with a key, its own unless told otherwise; a text is a prompt, and `line` may have a whole URL."""
    line = line.replace(segmind.url, "")
    sent = request(body) if isinstance(body, str) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(segmind.url, line, sent, headers={"x-api-key": key or segmind.key} | named, timeout=timeout)


def call(
    url: str,
    line: str,
    body: JsonObject | bytes | None = None,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: float = 10,
) -> Outcome:
    """Send one request on a connection of its own; `line` is method and path. What breaks is an outcome."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    method, _, path = line.partition(" ")
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    try:
        connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        return _read(connection.getresponse())
    except (OSError, http.client.HTTPException) as problem:
        return Outcome(broken=type(problem).__name__)
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse) -> Outcome:
    headers = {name.lower(): value for name, value in response.getheaders()}
    pieces: list[bytes] = []
    broken = ""
    try:
        while piece := response.read1(65_536):
            pieces.append(piece)
        broken = "IncompleteRead" if response.length else ""
    except (OSError, http.client.HTTPException) as problem:
        broken = type(problem).__name__
    response.close()
    return Outcome(response.status, headers, b"".join(pieces), broken)
