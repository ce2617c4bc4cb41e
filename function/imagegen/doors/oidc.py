"""Bearer tokens of an OpenID Connect issuer, checked with PyJWT. Imported only where AUTH=oidc."""

import re

import jwt
from werkzeug.datastructures import Headers

from imagegen.doors.auth import Caller, credential
from imagegen.doors.signing_keys import KeysUnavailable, SigningKeys, UnknownKey
from imagegen.errors import Unauthenticated

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")  # no shared secrets, never "none"
_MAX_TOKEN = 16 * 1024  # what is parsed before any signature is looked at
_LEEWAY_SECONDS = 30
_NO_TOKEN = (jwt.PyJWTError, UnknownKey, ArithmeticError, LookupError, TypeError, ValueError, RecursionError)
_NO_KEYS = "The keys of the token's issuer cannot be fetched at the moment. The token may be good: try again with it."


class OidcTokens:
    """`oidc`: bearer tokens of one issuer for one audience (Firebase, Auth0, Google, …)."""

    def __init__(self, issuer: str, audience: str, keys: SigningKeys) -> None:
        self._issuer, self._audience, self._keys = issuer, audience, keys

    def caller(self, headers: Headers) -> Caller:
        """Return the caller that the token names."""
        token = credential(headers)
        if len(token) > _MAX_TOKEN:
            raise Unauthenticated(f"The token is longer than {_MAX_TOKEN:,} characters.")
        try:
            subject = self._subject(token)
        except KeysUnavailable as e:
            raise Unauthenticated(_NO_KEYS) from e
        except _NO_TOKEN as e:
            raise Unauthenticated(f"The token was not accepted ({type(e).__name__}).") from e
        if not subject or re.search("[\ud800-\udfff]", subject):  # it would own what belongs to no account
            raise Unauthenticated("The token names nobody.")
        return Caller(owner=subject, sees=subject)

    def _subject(self, token: str) -> str:
        claims = jwt.decode(
            token,
            self._keys.of(jwt.get_unverified_header(token).get("kid")),
            algorithms=_ALGORITHMS,
            audience=self._audience,
            issuer=(self._issuer, f"{self._issuer}/"),
            options={"require": ["exp", "iss", "aud", "sub"]},
            leeway=_LEEWAY_SECONDS,
        )
        return str(claims["sub"])
