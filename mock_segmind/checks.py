"""What the vendor checks before it generates, in order: method, slug, key, access, type, JSON, body, ratio.

Credits and rate come after these, when the generation is about to start (`account.py`).
"""

import ipaddress
import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from mock_segmind import errors
from mock_segmind.account import Account, Accounts
from mock_segmind.images import RATIOS, Picture
from mock_segmind.messages import Call, Json, JsonObject, Refused

SLUG = "runway-gen4-image"
FIELDS = ("promptText", "referenceImages", "ratio")
LONGEST_PROMPT = 1_000
MOST_REFERENCES = 3
LONGEST_URI = 2_048
LONGEST_DATA_URI = 5 * 1024 * 1024
TAG = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,15}")


def method(call: Call, *allowed: str) -> None:
    """Refuse another method with the gateway's 405."""
    if call.method not in allowed:
        raise Refused(errors.error(405).with_headers({"Allow": ", ".join(allowed)}))


def account(call: Call, accounts: Accounts) -> Account:
    """Return whose key it is, or refuse: 401 without a known key, 403 for a closed account."""
    if call.key is None:
        raise Refused(errors.missing_key())
    found = accounts.find(call.key)
    if found is None:
        raise Refused(errors.invalid_key())
    if found.forbidden:
        raise Refused(errors.error(403))
    return found


def picture(call: Call) -> tuple[Picture, list[str]]:
    """Return what is to be generated and the references' URIs, or refuse with the first complaint."""
    body = json_object(call)
    complaint = next(_complaints(body), None)
    if complaint:
        raise Refused(errors.bad_request(complaint))
    ratio = body.get("ratio", RATIOS[0])
    if ratio not in RATIOS:
        raise Refused(errors.parameter_refused("ratio", str(ratio), ", ".join(RATIOS)))
    references = _references(body)
    tags = tuple(str(reference["tag"]) for reference in references)
    uris = [str(reference["uri"]) for reference in references if "uri" in reference]
    return Picture(str(body["promptText"]), str(ratio), tags), uris


def slug(call: Call) -> None:
    """Refuse another model with 404."""
    if call.slug != SLUG:
        raise Refused(errors.error(404))


def json_object(call: Call) -> JsonObject:
    """Return the body, or refuse: 406 for another Content-Type (as seen), 400 for what is no JSON object."""
    content_type = call.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refused(errors.wrong_content_type(content_type))
    try:
        body: Json = json.loads(call.raw)
    except (ValueError, RecursionError) as problem:
        raise Refused(errors.bad_request("The body is not valid JSON")) from problem
    if not isinstance(body, dict):
        raise Refused(errors.bad_request("The body must be a JSON object"))
    return body


def _complaints(body: JsonObject) -> Iterator[str]:
    """Say what is wrong with a body's fields; unknown ones too, so that no caller passes on its own."""
    yield from (f"Unknown field '{name}'" for name in body if name not in FIELDS)
    yield from (f"Missing required field '{name}'" for name in FIELDS[:2] if name not in body)
    yield from _prompt_complaints(body.get("promptText"))
    yield from _references_complaints(body.get("referenceImages"))
    if not isinstance(body.get("ratio", ""), str):
        yield "'ratio' must be a string"


def _prompt_complaints(prompt: Json) -> Iterator[str]:
    if not isinstance(prompt, str):
        yield "'promptText' must be a string"
    elif not prompt.strip():
        yield "'promptText' must not be empty"
    elif utf16_length(prompt) > LONGEST_PROMPT:
        yield f"'promptText' must be at most {LONGEST_PROMPT} UTF-16 code units"


def utf16_length(text: str) -> int:
    """Return the length as Runway counts it; an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _references_complaints(references: Json) -> Iterator[str]:
    if not isinstance(references, list):
        yield "'referenceImages' must be an array"
        return
    if len(references) > MOST_REFERENCES:
        yield f"'referenceImages' must have at most {MOST_REFERENCES} items"
    for index, reference in enumerate(references):
        yield from (f"referenceImages[{index}]: {problem}" for problem in _reference_complaints(reference))
    tags = [reference.get("tag") for reference in references if isinstance(reference, dict)]
    if len({str(tag) for tag in tags}) < len(tags):
        yield "'referenceImages' must have unique tags"


def _reference_complaints(reference: Json) -> Iterator[str]:
    if not isinstance(reference, dict):
        yield "must be an object"
        return
    yield from (f"unknown field '{name}'" for name in reference if name not in {"uri", "tag"})
    tag = reference.get("tag")
    if not isinstance(tag, str) or not TAG.fullmatch(tag):
        yield "'tag' must be 3 to 16 letters, digits or _, a letter first"
    if "uri" in reference:
        yield from _uri_complaints(reference["uri"])


def _uri_complaints(uri: Json) -> Iterator[str]:
    if not isinstance(uri, str):
        yield "'uri' must be a string"
    elif uri.startswith("data:image/"):
        if len(uri) > LONGEST_DATA_URI:
            yield "'uri' must be a data URI of at most 5 MB"
    elif len(uri) > LONGEST_URI:
        yield f"'uri' must be at most {LONGEST_URI} characters"
    elif not _fetchable(uri):
        yield "'uri' must be an https URL with a domain name, or a data URI"


def _fetchable(uri: str) -> bool:
    """Tell whether Runway would take the address; plain http to this machine only, for a local storage."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
    except ValueError:
        return False
    if host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback):
        return parts.scheme in {"http", "https"}
    return parts.scheme == "https" and "." in host and not _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _references(body: JsonObject) -> list[JsonObject]:
    references = body["referenceImages"]
    assert isinstance(references, list)  # noqa: S101  _complaints has seen to it
    return [reference for reference in references if isinstance(reference, dict)]
