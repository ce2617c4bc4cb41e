"""One HTTP request as the vendor sees it, and the operations there are."""

import hashlib
import socket
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from mock_segmind.replies import Json

Operation: TypeAlias = Literal[
    "v1", "v2-submit", "v2-status", "v2-result", "hosted", "upload", "credits", "history", "history-row", "generations"
]
OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)
GENERATING: Final[tuple[Operation, ...]] = ("v1", "v2-submit")


def fingerprint(key: str) -> str:
    """Return what the ledger shows of an API key: enough to compare two, nothing to steal."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def prompt_in(body: Json) -> str:
    """Return the prompt of a body that may be any JSON."""
    prompt = body.get("promptText") if isinstance(body, dict) else None
    return prompt if isinstance(prompt, str) else ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Header names are in lower case; `prompt` is that of the job or image which the URL names."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    connection: socket.socket
    operation: Operation = "v1"
    prompt: str = ""

    @property
    def key(self) -> str | None:
        """The API key from `x-api-key`, or from `Authorization: Bearer`; both were seen."""
        direct = self.headers.get("x-api-key")
        scheme, _, bearer = self.headers.get("authorization", "").partition(" ")
        return direct or (bearer.strip() if scheme.lower() == "bearer" else "") or None

    @property
    def origin(self) -> str:
        """The address that the client called, which is where it finds hosted images."""
        return f"http://{self.headers.get('host', '127.0.0.1')}"

    @property
    def slug(self) -> str:
        """The last part of the path: a model or a request id."""
        return self.path.rsplit("/", 1)[-1]
