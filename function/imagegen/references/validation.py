"""Body → ImageRequest, or every problem at once. Pure: bytes in, value or InvalidRequest out.

The rules are Segmind's page (types, ratios) and Runway's own (length in UTF-16 code units, count and form of
tags), checked here because a request that is refused upstream takes half a minute to say so.
"""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic_core import PydanticCustomError

from imagegen.errors import InvalidRequest
from imagegen.failure import Problem
from imagegen.model import ImageRequest
from imagegen.references import rules as uri_rules
from imagegen.references.rules import Rules

if TYPE_CHECKING:
    from pydantic.config import JsonDict
    from pydantic_core import ErrorDetails

MAX_PROMPT_UNITS = 1000
MAX_REFERENCES = 3
MAX_DEPTH = 16
MAX_MEMBERS = 10_000  # a valid body has dozens; 16 MiB of tiny members would be gigabytes of objects
MAX_BATCH_MEMBERS = 100_000  # the same for a scheduled batch of thousands of requests
MAX_PROBLEMS = 100
_NO_BUCKET = Rules()
# For the OpenAPI document: what the checks below hold, as far as JSON Schema can say it.
_PROMPT: "JsonDict" = {
    "minLength": 1,
    "maxLength": MAX_PROMPT_UNITS,
    "pattern": r"[^\s\u001c-\u001f\u0085]",  # not only blanks, by str.strip()'s idea of them
    "description": "counted in UTF-16 code units",
}
_REFERENCES: "JsonDict" = {"maxItems": MAX_REFERENCES}
_URI: "JsonDict" = {"format": "uri", "minLength": 1, "maxLength": uri_rules.MAX_DATA_URI_LENGTH}
_URIS = "https://… on a public host, gs://… as POST /v1/uploads returns it, or data:image/png|jpeg|webp;base64,…"

Ratio = Literal["1280:720", "720:1280", "1104:832", "832:1104", "960:960", "1584:672", "1920:1080", "1080:1920"]


def _fits_runway(prompt: str) -> str:
    units = len(prompt.encode("utf-16-le", "surrogatepass")) // 2
    if units > MAX_PROMPT_UNITS:
        raise PydanticCustomError(
            "prompt_length", f"has {units:,} UTF-16 code units; at most {MAX_PROMPT_UNITS:,} are allowed"
        )
    if not prompt.strip():
        raise PydanticCustomError("prompt_empty", "must not be empty")
    return prompt


def _may_be_used(uri: str, info: ValidationInfo) -> str:
    problems = list(uri_rules.problems_of(uri, info.context or _NO_BUCKET))
    if problems:
        raise PydanticCustomError("bad_uri", "{problems}", {"problems": "; ".join(problems)})
    return uri


class ReferenceBody(BaseModel):
    """One entry of `referenceImages`."""

    model_config = ConfigDict(extra="forbid", strict=True)
    tag: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{2,15}$", description="unique; prompts name it as @tag")]
    uri: Annotated[str, AfterValidator(_may_be_used), Field(description=_URIS, json_schema_extra=_URI)] = (
        ""  # left out; null is refused
    )


class ImageBody(BaseModel):
    """The body of a request for an image."""

    model_config = ConfigDict(extra="forbid", strict=True)
    prompt_text: Annotated[str, AfterValidator(_fits_runway), Field(alias="promptText", json_schema_extra=_PROMPT)]
    reference_images: Annotated[list[ReferenceBody], Field(alias="referenceImages", json_schema_extra=_REFERENCES)]
    ratio: Annotated[Ratio, Field(description="width:height in pixels; 1280:720 where it is left out")] = "1280:720"


def parse(body: bytes, rules: Rules = _NO_BUCKET) -> ImageRequest:
    """Return the request that `body` asks for. Raises InvalidRequest with every problem found."""
    return check(decode(body), rules)


def check(value: object, rules: Rules = _NO_BUCKET) -> ImageRequest:
    """Return the request that a decoded JSON value asks for. Raises InvalidRequest with every problem found."""
    problems = list(flaws(value))
    try:
        body = ImageBody.model_validate(value, context=rules)
    except ValidationError as e:
        problems += problems_in(e)
        body = None
    problems += _between_references(value)
    if body is None or problems:
        raise InvalidRequest(_once(problems))
    refs = tuple(uri_rules.reference(r.tag, r.uri or None, rules) for r in body.reference_images)
    return ImageRequest(body.prompt_text, refs, body.ratio)


class _Object(dict[str, object]):
    """A JSON object that remembers which names came more than once."""

    repeated: frozenset[str] = frozenset()

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        if len(self) != len(pairs):
            counted = Counter(name for name, _ in pairs)
            self.repeated = frozenset(name for name, times in counted.items() if times > 1)


def decode(body: bytes, max_members: int = MAX_MEMBERS) -> object:
    """Return the JSON value of a body, as strict as JSON is. Raises InvalidRequest."""
    if sum(map(body.count, (b",", b"[", b"{"))) > max_members:
        raise _broken("has too many members to be a request for an image")
    if body.startswith(codecs.BOM_UTF8):
        raise _broken("starts with a byte order mark; JSON has none (RFC 8259)")
    try:
        return json.loads(body.decode(), object_pairs_hook=_Object, parse_constant=_refuse)
    except UnicodeDecodeError:
        raise _broken("is not UTF-8") from None
    except RecursionError:
        raise _broken("is nested too deeply") from None
    except ValueError as e:
        at = f" (line {e.lineno}, column {e.colno})" if isinstance(e, json.JSONDecodeError) else ""
        raise _broken(f"is not valid JSON{at}") from None


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _broken(detail: str) -> InvalidRequest:
    return InvalidRequest((Problem("", f"the body {detail}"),))


def flaws(value: object, pointer: str = "", depth: int = MAX_DEPTH) -> Iterator[Problem]:
    """Yield what JSON allows and a request may not have: repeated names, lone surrogates, deep nesting."""
    if depth == 0:
        yield Problem(pointer, "is nested too deeply")
    elif isinstance(value, str) and re.search("[\ud800-\udfff]", value):
        yield Problem(pointer, "has a lone surrogate: not valid Unicode text")
    elif isinstance(value, dict):
        for name, child in value.items():
            here = f"{pointer}/{_escape(name)}"
            if name in getattr(value, "repeated", ()):
                yield Problem(here, "is there more than once")
            yield from flaws(child, here, depth - 1)
    elif isinstance(value, list):
        for i, child in enumerate(value):
            yield from flaws(child, f"{pointer}/{i}", depth - 1)


def _between_references(value: object) -> Iterator[Problem]:
    """Yield what no single entry shows. Looks at the raw value, since other entries may be wrong in other ways."""
    entries = value.get("referenceImages") if isinstance(value, dict) else None
    entries = entries if isinstance(entries, list) else []
    if len(entries) > MAX_REFERENCES:
        yield Problem("/referenceImages", f"has {len(entries):,} entries; at most {MAX_REFERENCES} are allowed")
    first: dict[str, int] = {}
    for i, entry in enumerate(entries):
        tag = entry.get("tag") if isinstance(entry, dict) else None
        if isinstance(tag, str) and first.setdefault(tag, i) != i:
            yield Problem(f"/referenceImages/{i}/tag", "is used by another reference; tags are unique")


_DETAILS = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_unicode": "has a lone surrogate in a name: not valid Unicode text",
    "list_type": "must be an array",
    "model_type": "must be a JSON object",
    "string_pattern_mismatch": "must be 3 to 16 characters: a letter first, then letters, digits or _",
    "extra_forbidden": "is not a known field",
}


def problems_in(error: ValidationError) -> tuple[Problem, ...]:
    """Return pydantic's errors in our own words, which never repeat a value."""
    return tuple(map(_problem, error.errors(include_url=False, include_input=False)))


def _problem(error: "ErrorDetails") -> Problem:
    pointer = "".join(f"/{_escape(str(part))}" for part in error["loc"])
    if error["type"] == "literal_error":
        return Problem(pointer, f"must be one of {cast('dict[str, str]', error['ctx'])['expected']}")
    return Problem(pointer, _DETAILS.get(error["type"], error["msg"]))


def _escape(name: str) -> str:
    """Escape one step of a JSON pointer (RFC 6901), cut to a length that can be shown."""
    shown = name.encode("utf-8", "replace").decode()
    return shown[:64].replace("~", "~0").replace("/", "~1")


def _once(problems: list[Problem]) -> tuple[Problem, ...]:
    unique = tuple(dict.fromkeys(problems))
    rest = len(unique) - MAX_PROBLEMS
    more = (Problem("", f"and {rest:,} more problems"),) if rest > 0 else ()
    return unique[:MAX_PROBLEMS] + more
