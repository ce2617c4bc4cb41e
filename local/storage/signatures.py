"""Who may: V4 signed URLs, verified as Cloud Storage does (https://cloud.google.com/storage/docs/authentication/signatures).

The canonical request is built from what arrived, never from what the signer meant, so another verb, path,
parameter, header or host gives another string, and the signature does not match it.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from local.storage import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from local.storage.request import Request

ALGORITHM = "GOOG4-RSA-SHA256"
LONGEST_SECONDS = 604_800
SKEW = timedelta(minutes=15)
SIGNATURE = "x-goog-signature"
PARAMETERS = {
    "x-goog-algorithm": ALGORITHM,
    "x-goog-credential": "[^/]+/[0-9]{8}/[^/]+/storage/goog4_request",
    "x-goog-date": "[0-9]{8}T[0-9]{6}Z",
    "x-goog-expires": "[0-9]{1,6}",
    "x-goog-signedheaders": "host|.*;host|host;.*|.*;host;.*",
    SIGNATURE: "([0-9a-fA-F]{2})+",
}
"""The parameters of a signed URL, each with what it must look like; the host header must be signed."""


class Verifier:
    """Admits a request that carries a valid signature by one of `keys`, and raises for every other."""

    def __init__(self, keys: Mapping[str, RSAPublicKey], clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock

    def admit(self, request: Request) -> None:
        """Return if the request is signed, in time and unchanged; else raise what Cloud Storage answers."""
        given = _parameters(request)
        self._check_time(given)
        signed_headers = given["x-goog-signedheaders"].split(";")
        _check_headers(request, set(signed_headers))
        canonical = _canonical_request(request, signed_headers)
        email, _, scope = given["x-goog-credential"].partition("/")
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        string_to_sign = f"{ALGORITHM}\n{given['x-goog-date']}\n{scope}\n{digest}"
        if email not in self._keys:
            raise errors.unknown_signer(email)
        try:
            signature = bytes.fromhex(given[SIGNATURE])
            self._keys[email].verify(signature, string_to_sign.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            raise errors.signature_does_not_match(string_to_sign, canonical) from None

    def _check_time(self, given: Mapping[str, str]) -> None:
        try:
            signed_at = datetime.strptime(given["x-goog-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise errors.malformed_security_header("x-goog-date", "The date is invalid.") from None
        if given["x-goog-credential"].split("/")[1] != given["x-goog-date"][:8]:
            raise errors.malformed_security_header("x-goog-credential", "The credential scope has another date.")
        seconds = int(given["x-goog-expires"])
        if not 1 <= seconds <= LONGEST_SECONDS:
            raise errors.malformed_security_header("x-goog-expires", f"It must be from 1 to {LONGEST_SECONDS} seconds.")
        now, end = datetime.fromtimestamp(self._clock(), UTC), signed_at + timedelta(seconds=seconds)
        if now > end:
            raise errors.expired_token(end.isoformat())
        if signed_at > now + SKEW:
            raise errors.malformed_security_header("x-goog-date", "The request is not yet valid.")


def _parameters(request: Request) -> dict[str, str]:
    given = {name.lower(): value for name, value in request.args.items()}
    if SIGNATURE not in given:
        raise errors.access_denied({"PUT": "create", "DELETE": "delete"}.get(request.method, "get"))
    for name, pattern in PARAMETERS.items():
        if not re.fullmatch(pattern, given.get(name, "")):
            raise errors.malformed_security_header(name, "A required query parameter is missing or invalid.")
    return given


def _check_headers(request: Request, signed: set[str]) -> None:
    """Every signed header must have come, and every extension header that came must be signed."""
    arrived = {name.lower() for name, _ in request.headers}
    extensions = {name for name in arrived if name.startswith("x-goog-")}
    for name in sorted(signed - arrived):
        raise errors.malformed_security_header(name, "Header was included in signedheaders, but not in the request.")
    for name in sorted(extensions - signed):
        raise errors.malformed_security_header(name, "Header was included in the request, but not in signedheaders.")


def _canonical_request(request: Request, signed_headers: list[str]) -> str:
    headers = [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed_headers]
    payload = request.headers.get("x-goog-content-sha256") or "UNSIGNED-PAYLOAD"
    head = (request.method, quote(request.path, safe="/~"), _canonical_query(request))
    return "\n".join((*head, *headers, "", ";".join(signed_headers), payload))


def _canonical_query(request: Request) -> str:
    pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    kept = ((name, value) for name, value in pairs if name.lower() != SIGNATURE)
    return "&".join(sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in kept))
