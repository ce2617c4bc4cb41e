"""Who may: V4 signed URLs, verified as Cloud Storage does (https://cloud.google.com/storage/docs/authentication/signatures).

The canonical request is built from what arrived, never from what the signer meant, so another verb, path,
parameter, header or host gives another string, and the signature does not match it.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Request

from local.keys import VerificationKey
from local.storage.errors import StorageError

ALGORITHM = "GOOG4-RSA-SHA256"
LONGEST = 604_800
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
    """Admits a request that carries a valid signature by one of `keys`, and raises for every other."""

    def __init__(self, keys: Sequence[VerificationKey], clock: Callable[[], float]) -> None:
        self._keys = keys
        self._clock = clock

    def admit(self, request: Request) -> None:
        """Return if the request is signed, in time and unchanged; else raise what Cloud Storage answers."""
        claim = _claim_of(request)
        self._check_time(claim)
        _check_headers(request, claim)
        canonical = _canonical_request(request, claim)
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        string_to_sign = f"{ALGORITHM}\n{claim.date}\n{claim.scope}\n{digest}"
        if not self._is_signed(claim, string_to_sign):
            raise StorageError("SignatureDoesNotMatch", StringToSign=string_to_sign, CanonicalRequest=canonical)

    def _check_time(self, claim: Claim) -> None:
        now = datetime.fromtimestamp(self._clock(), UTC)
        if now > claim.expires_at:
            details = f"The provided token has expired. Request signature expired at: {claim.expires_at.isoformat()}"
            raise StorageError("ExpiredToken", Details=details)
        if claim.signed_at > now + SKEW:
            raise _malformed("x-goog-date", "The request is not yet valid.")

    def _is_signed(self, claim: Claim, string_to_sign: str) -> bool:
        candidates = [key for key in self._keys if key.email == claim.email]
        if not candidates:
            raise StorageError("InvalidSecurity", Details=f"Google Access ID not found: {claim.email}")
        return any(_verifies(key, claim.signature, string_to_sign.encode()) for key in candidates)


def _malformed(name: str, details: str) -> StorageError:
    return StorageError("MalformedSecurityHeader", ParameterName=name, Details=details)


def _verifies(key: VerificationKey, signature: bytes, message: bytes) -> bool:
    try:
        key.public_key.verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _claim_of(request: Request) -> Claim:
    query = {name.lower(): value for name, value in request.args.items()}
    if SIGNATURE not in query:
        raise StorageError("AccessDenied", Details="Anonymous callers have no access to the object.")
    for name in PARAMETERS:
        if not query.get(name):
            raise _malformed(name, "A required query parameter is missing.")
    email, _, scope = query["x-goog-credential"].partition("/")
    date, expires = query["x-goog-date"], query["x-goog-expires"]
    _check_form(query["x-goog-algorithm"], scope.split("/"), date)
    if not expires.isdecimal() or not 1 <= int(expires) <= LONGEST:
        raise _malformed("x-goog-expires", f"Expires must be from 1 to {LONGEST} seconds.")
    signed_at = _parsed(date)
    return Claim(
        email=email,
        scope=scope,
        date=date,
        signed_at=signed_at,
        expires_at=signed_at + timedelta(seconds=int(expires)),
        signed_headers=tuple(query["x-goog-signedheaders"].split(";")),
        signature=_unhexed(query[SIGNATURE]),
    )


def _check_form(algorithm: str, scope: list[str], date: str) -> None:
    if algorithm != ALGORITHM:
        raise _malformed("x-goog-algorithm", f"The algorithm must be {ALGORITHM}.")
    if len(scope) != 4 or scope[0] != date[:8] or scope[2:] != ["storage", "goog4_request"]:
        raise _malformed("x-goog-credential", "The credential scope is invalid.")


def _parsed(date: str) -> datetime:
    try:
        return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise _malformed("x-goog-date", "The date is invalid.") from None


def _unhexed(signature: str) -> bytes:
    try:
        return bytes.fromhex(signature)
    except ValueError:
        raise _malformed(SIGNATURE, "The signature is not hexadecimal.") from None


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
