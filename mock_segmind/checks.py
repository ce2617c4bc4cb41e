"""What the vendor checks before it generates, in order: method, slug, key, access, type, JSON, body, ratio.

Credits and rate come after these, when the generation is about to start (`accounts.py`).
"""

import ipaddress
import re
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
    """Return what is to be generated and the references' URIs, or refuse; unknown fields, too, so that none passes."""
    body = json_object(call)
    for name in body:
        if name not in FIELDS:
            raise bad_request(f"Unknown field '{name}'")
    for name in FIELDS[:2]:
        if name not in body:
            raise bad_request(f"Missing required field '{name}'")
    prompt, references = _prompt(body["promptText"]), _references(body["referenceImages"])
    ratio = body.get("ratio", RATIOS[0])
    if not isinstance(ratio, str):
        raise bad_request("'ratio' must be a string")
    if ratio not in RATIOS:
        raise refused(406, f"Invalid value '{ratio}' for parameter 'ratio'. Allowed values: {', '.join(RATIOS)}")
    return Picture(prompt, ratio, tuple(tag for tag, _ in references)), [uri for _, uri in references if uri]


def _prompt(prompt: Json) -> str:
    if not isinstance(prompt, str):
        raise bad_request("'promptText' must be a string")
    if not prompt.strip():
        raise bad_request("'promptText' must not be empty")
    if len(prompt.encode("utf-16-le", "surrogatepass")) // 2 > LONGEST_PROMPT:
        raise bad_request(f"'promptText' must be at most {LONGEST_PROMPT} UTF-16 code units")
    return prompt


def _references(references: Json) -> list[tuple[str, str | None]]:
    """Return the tag and the URI, if it has one, of each reference."""
    if not isinstance(references, list):
        raise bad_request("'referenceImages' must be an array")
    if len(references) > MOST_REFERENCES:
        raise bad_request(f"'referenceImages' must have at most {MOST_REFERENCES} items")
    found = [_reference(one, f"referenceImages[{index}]") for index, one in enumerate(references)]
    if len({tag for tag, _ in found}) < len(found):
        raise bad_request("'referenceImages' must have unique tags")
    return found


def _reference(reference: Json, where: str) -> tuple[str, str | None]:
    if not isinstance(reference, dict):
        raise bad_request(f"{where}: must be an object")
    for name in reference:
        if name not in {"uri", "tag"}:
            raise bad_request(f"{where}: unknown field '{name}'")
    tag = reference.get("tag")
    if not isinstance(tag, str) or not TAG.fullmatch(tag):
        raise bad_request(f"{where}: 'tag' must be 3 to 16 letters, digits or _, a letter first")
    return tag, _uri(reference["uri"], where) if "uri" in reference else None


def _uri(uri: Json, where: str) -> str:
    if not isinstance(uri, str):
        raise bad_request(f"{where}: 'uri' must be a string")
    inline = uri.startswith("data:image/")
    if inline and len(uri) > LONGEST_DATA_URI:
        raise bad_request(f"{where}: 'uri' must be a data URI of at most 5 MB")
    if not inline and len(uri) > LONGEST_URI:
        raise bad_request(f"{where}: 'uri' must be at most {LONGEST_URI} characters")
    if not inline and not _fetchable(uri):
        raise bad_request(f"{where}: 'uri' must be an https URL with a domain name, or a data URI")
    return uri


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
