"""Who may: V4 signed URLs, verified as Cloud Storage does (https://cloud.google.com/storage/docs/authentication/signatures).

The canonical request is built from what arrived, never from what the signer meant, so another verb, path,
parameter, header or host gives another string, and the signature does not match it.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Request

from local.storage.errors import StorageError

ALGORITHM = "GOOG4-RSA-SHA256"
LONGEST = 604_800
SCOPE = re.compile(r"\d{8}/[^/]*/storage/goog4_request")
SKEW = timedelta(minutes=15)
SIGNATURE = "x-goog-signature"
PARAMETERS = ("x-goog-algorithm", "x-goog-credential", "x-goog-date", "x-goog-expires", "x-goog-signedheaders")


@dataclass(frozen=True, slots=True)
class Claim:
    """What the URL says about its own signature."""

    email: str
    scope: str
    date: str
    signed_at: datetime
    expires_at: datetime
    signed_headers: tuple[str, ...]
    signature: bytes


class Verifier:
    """Admits a request that carries a valid signature by one of the accounts' `keys`, and raises for every other."""

    def __init__(self, keys: Mapping[str, RSAPublicKey], clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock

    def admit(self, request: Request) -> None:
        """Return if the request is signed, in time and unchanged; else raise what Cloud Storage answers."""
        claim = _claim_of(request)
        self._check_time(claim)
        _check_headers(request, claim)
        if claim.email not in self._keys:
            raise StorageError("InvalidSecurity", Details=f"Google Access ID not found: {claim.email}")
        canonical = _canonical_request(request, claim)
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        string_to_sign = f"{ALGORITHM}\n{claim.date}\n{claim.scope}\n{digest}"
        try:
            self._keys[claim.email].verify(claim.signature, string_to_sign.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            shown = StorageError("SignatureDoesNotMatch", StringToSign=string_to_sign, CanonicalRequest=canonical)
            raise shown from None

    def _check_time(self, claim: Claim) -> None:
        now = datetime.fromtimestamp(self._clock(), UTC)
        if now > claim.expires_at:
            details = f"The provided token has expired. Request signature expired at: {claim.expires_at.isoformat()}"
            raise StorageError("ExpiredToken", Details=details)
        if claim.signed_at > now + SKEW:
            raise _malformed("x-goog-date", "The request is not yet valid.")


def _malformed(name: str, details: str) -> StorageError:
    return StorageError("MalformedSecurityHeader", ParameterName=name, Details=details)


def _claim_of(request: Request) -> Claim:
    query = {name.lower(): value for name, value in request.args.items()}
    if SIGNATURE not in query:
        raise StorageError("AccessDenied", Details="Anonymous callers have no access to the object.")
    for name in PARAMETERS:
        if not query.get(name):
            raise _malformed(name, "A required query parameter is missing.")
    email, _, scope = query["x-goog-credential"].partition("/")
    date, expires = query["x-goog-date"], query["x-goog-expires"]
    if query["x-goog-algorithm"] != ALGORITHM:
        raise _malformed("x-goog-algorithm", f"The algorithm must be {ALGORITHM}.")
    if not SCOPE.fullmatch(scope) or not scope.startswith(date[:8]):
        raise _malformed("x-goog-credential", "The credential scope is invalid.")
    if not expires.isdecimal() or not 1 <= int(expires) <= LONGEST:
        raise _malformed("x-goog-expires", f"Expires must be from 1 to {LONGEST} seconds.")
    try:
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        signature = bytes.fromhex(query[SIGNATURE])
    except ValueError as error:
        raise _malformed(f"x-goog-date or {SIGNATURE}", str(error)) from None
    expires_at, headers = signed_at + timedelta(seconds=int(expires)), query["x-goog-signedheaders"]
    return Claim(email, scope, date, signed_at, expires_at, tuple(headers.split(";")), signature)


def _check_headers(request: Request, claim: Claim) -> None:
    """Every signed header must have come, the host among them, and every extension header that came must be signed."""
    arrived, signed = {name.lower() for name, _ in request.headers}, set(claim.signed_headers)
    extensions = {name for name in arrived if name.startswith("x-goog-")}
    for name in sorted((signed - arrived) | ({"host"} | extensions) - signed):
        raise _malformed(name, "A header that is signed must come, and host and every x-goog- header must be signed.")


def _canonical_request(request: Request, claim: Claim) -> str:
    pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    kept = ((name, value) for name, value in pairs if name.lower() != SIGNATURE)
    query = "&".join(sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in kept))
    headers = [f"{name}:{' '.join(request.headers[name].split())}" for name in claim.signed_headers]
    payload = request.headers.get("x-goog-content-sha256") or "UNSIGNED-PAYLOAD"
    path = quote(unquote(request.path), safe="/~")
    return "\n".join((request.method, path, query, *headers, "", ";".join(claim.signed_headers), payload))
