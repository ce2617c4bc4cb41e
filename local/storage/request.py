"""One call as the APIs see it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import werkzeug

from local.storage import errors

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

    from local.storage.uploads import Upload

CONDITION_HEADER = "x-goog-if-generation-match"


class Request(werkzeug.Request):
    """What arrived, with its whole body; routing fills in `bucket`, `name` and `upload`."""

    bucket = ""
    name = ""
    upload: Upload | None = None

    def __init__(self, environ: WSGIEnvironment, body: bytes) -> None:
        super().__init__(environ)
        self.body = body
        self.raw_path = str(environ["RAW_URI"]).partition("?")[0]

    @property
    def server_url(self) -> str:
        """The server's URL as the caller knows it."""
        return f"http://{self.headers.get('Host', '127.0.0.1')}"

    @property
    def is_xml(self) -> bool:
        """Whether this is the XML API, whose errors are XML and whose answers carry CORS headers."""
        return not self.raw_path.startswith(("/storage/v1/", "/upload/", "/download/", "/batch/", "/_local/"))

    @property
    def generation(self) -> int | None:
        """The generation that is asked for; raises 400."""
        return _number(self.args.get("generation"), "generation")

    @property
    def if_generation(self) -> int | None:
        """The generation that must be there, 0 for none; raises 400, also for a condition that is not played."""
        other = [name for name in self.args if name.startswith("if") and name != "ifGenerationMatch"]
        other += [name for name, _ in self.headers if name.lower().startswith("x-goog-if-")]
        if other and [name.lower() for name in other] != [CONDITION_HEADER]:
            raise errors.bad_request(f"The local storage does not play the conditions {', '.join(other)}")
        return _number(self.args.get("ifGenerationMatch", self.headers.get(CONDITION_HEADER)), "ifGenerationMatch")

    def resource(self) -> dict[str, object]:
        """Return the body as a JSON object, {} where it is empty; raises 400."""
        return parsed(self.body)


def _number(text: str | None, name: str) -> int | None:
    if text is not None and not text.isdecimal():
        raise errors.bad_request(f"Invalid value for {name}: {text}")
    return None if text is None else int(text)


def parsed(data: bytes) -> dict[str, object]:
    """Return `data` as a JSON object; raises 400."""
    try:
        value = json.loads(data or b"{}")
    except ValueError:
        raise errors.bad_request("Parse Error") from None
    if not isinstance(value, dict):
        raise errors.bad_request("A JSON object was expected")
    return value
