"""What goes in and out of every endpoint of the fake: one call, one reply, one refusal."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Self, TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
JsonObject: TypeAlias = dict[str, Json]

Operation: TypeAlias = Literal["v1", "v2-submit", "v2-status", "v2-result", "hosted", "upload", "credits"]
GENERATING: Final[tuple[Operation, ...]] = ("v1", "v2-submit")
OPERATIONS: Final[tuple[Operation, ...]] = (
    *GENERATING,
    "v2-status",
    "v2-result",
    "hosted",
    "upload",
    "credits",
)
HEADERS_OF_INTEREST: Final = ("accept", "content-type", "content-length", "user-agent", "host", "range")


def fingerprint(key: str) -> str:
    """Return what the ledger shows of an API key: enough to compare two, nothing to steal."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request as the vendor sees it; `prompt` is the job's own where the URL names one."""

    operation: Operation
    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes
    origin: str
    prompt: str = ""

    @property
    def key(self) -> str | None:
        """The API key from `x-api-key`, or from `Authorization: Bearer`; both were seen."""
        direct = self.headers.get("x-api-key")
        scheme, _, bearer = self.headers.get("authorization", "").partition(" ")
        return direct or (bearer.strip() if scheme.lower() == "bearer" else "") or None

    @property
    def slug(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def noted_headers(self) -> dict[str, str]:
        """The headers a test may want to see; never the ones that carry a key."""
        return {name: self.headers[name] for name in HEADERS_OF_INTEREST if name in self.headers}


def parsed(raw: bytes) -> Json:
    """Return the body as JSON, or None where it is none: the checks, not the ledger, complain about that."""
    try:
        value: Json = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value


def prompt_in(body: Json) -> str:
    """Return the prompt of a body that may be anything: magic works before any check."""
    prompt = body.get("promptText") if isinstance(body, dict) else None
    return prompt if isinstance(prompt, str) else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before any transport fault touches it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        return replace(self, headers={**self.headers, **headers})

    def without(self, *names: str) -> Self:
        """Return the same reply lacking some headers, compared without case."""
        gone = {name.lower() for name in names}
        return replace(self, headers={k: v for k, v in self.headers.items() if k.lower() not in gone})


def json_reply(status: int, value: Json) -> Reply:
    """Return a JSON answer; ASCII escapes keep lone surrogates from breaking it."""
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


class Refused(Exception):
    """Raised by a check: the request ends with this reply and nothing is billed."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class Abandoned(Exception):
    """Raised inside a wait when the fake is cleared or stopped: the connection is dropped unanswered."""
