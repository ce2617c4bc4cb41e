"""What the vendor checks before it generates, in order: method, slug, key, access, type, JSON, body, ratio.

Credits and rate come after these, when the generation is about to start (`accounts.py`).
"""

import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from mock_segmind.accounts import Account, Accounts
from mock_segmind.calls import Call
from mock_segmind.images import RATIOS, Picture
from mock_segmind.replies import Json, JsonObject, Refused, bad_request, error, parsed, refused

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
        raise Refused(error(405).with_headers({"Allow": ", ".join(allowed)}))


def account(call: Call, accounts: Accounts) -> Account:
    """Return whose key it is, or refuse: 401 without a known key, 403 for a closed account."""
    if call.key is None:
        raise refused(401, "Missing Authorization or x-api-key in header")
    found = accounts.find(call.key)
    if found is None:
        raise refused(401)
    if found.forbidden:
        raise refused(403)
    return found


def generation(call: Call, accounts: Accounts) -> tuple[Account, Picture, list[str]]:
    """Return who asks for which image and the references' URIs, or refuse: all checks of a POST for an image."""
    method(call, "POST")
    if call.slug != SLUG:
        raise refused(404)
    return account(call, accounts), *picture(call)


def json_object(call: Call) -> JsonObject:
    """Return the body, or refuse: 406 for another Content-Type (as seen), 400 for what is no JSON object."""
    content_type = call.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise refused(406, f"Invalid Content-Type '{content_type}'. Content-Type must be application/json")
    body = parsed(call.raw)
    if body is None:
        raise bad_request("The body is not valid JSON")
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object")
    return body


def picture(call: Call) -> tuple[Picture, list[str]]:
    """Return what is to be generated and the references' URIs, or refuse with the first complaint."""
    body = json_object(call)
    if complaint := next(_complaints(body), None):
        raise bad_request(complaint)
    ratio, references = body.get("ratio", RATIOS[0]), _objects(body["referenceImages"])
    if ratio not in RATIOS:
        raise refused(406, f"Invalid value '{ratio}' for parameter 'ratio'. Allowed values: {', '.join(RATIOS)}")
    tags = tuple(str(reference["tag"]) for reference in references)
    uris = [str(reference["uri"]) for reference in references if "uri" in reference]
    return Picture(str(body["promptText"]), str(ratio), tags), uris


def _complaints(body: JsonObject) -> Iterator[str]:
    """Say what is wrong with a body's fields; unknown ones too, so that no caller passes on its own."""
    yield from (f"Unknown field '{name}'" for name in body if name not in FIELDS)
    yield from (f"Missing required field '{name}'" for name in FIELDS[:2] if name not in body)
    prompt = body["promptText"]
    if not isinstance(prompt, str):
        yield "'promptText' must be a string"
    elif not prompt.strip():
        yield "'promptText' must not be empty"
    elif len(prompt.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_PROMPT:
        yield f"'promptText' must be at most {LONGEST_PROMPT} UTF-16 code units"
    yield from _references_complaints(body["referenceImages"])
    if not isinstance(body.get("ratio", ""), str):
        yield "'ratio' must be a string"


def _references_complaints(references: Json) -> Iterator[str]:
    if not isinstance(references, list):
        yield "'referenceImages' must be an array"
        return
    if len(references) > MOST_REFERENCES:
        yield f"'referenceImages' must have at most {MOST_REFERENCES} items"
    for index, reference in enumerate(references):
        yield from (f"referenceImages[{index}]: {problem}" for problem in _reference_complaints(reference))
    if len({str(reference["tag"]) for reference in _objects(references)}) < len(references):
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
    except ValueError:
        return False
    host = parts.hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        return parts.scheme in {"http", "https"} if host == "localhost" else parts.scheme == "https" and "." in host
    return loopback and parts.scheme in {"http", "https"}


def _objects(references: Json) -> list[JsonObject]:
    return [one for one in references if isinstance(one, dict)] if isinstance(references, list) else []
