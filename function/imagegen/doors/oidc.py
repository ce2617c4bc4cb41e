"""Bearer tokens of an OpenID Connect issuer, checked with PyJWT. Imported only where AUTH=oidc."""

import jwt
import requests
from werkzeug.datastructures import Headers

from imagegen.doors.auth import Caller, credential
from imagegen.errors import Unauthenticated

_ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "ES256",
    "ES384",
    "EdDSA",
)  # no shared secrets, never "none"
_FETCH_SECONDS = 5
_LEEWAY_SECONDS = 30
_NOT_A_DISCOVERY = (LookupError, TypeError, ValueError)  # a page where the issuer's document should be
_NO_KEYS = "The keys of the token's issuer cannot be fetched at the moment. The token may be good: try again with it."


class OidcTokens:
    """`oidc`: bearer tokens of one issuer for one audience (Firebase, Auth0, Google, …)."""

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer, self._audience = issuer, audience
        self._keys: jwt.PyJWKClient | None = None  # found on first use: the issuer may be down when we start

    def caller(self, headers: Headers) -> Caller:
        """Return the caller that the token names."""
        token = credential(headers)
        try:
            claims = jwt.decode(
                token,
                self._key_client().get_signing_key_from_jwt(token),
                algorithms=_ALGORITHMS,
                audience=self._audience,
                issuer=(self._issuer, f"{self._issuer}/"),
                options={"require": ["exp", "iss", "aud", "sub"]},
                leeway=_LEEWAY_SECONDS,
            )
        except jwt.PyJWKClientConnectionError as e:
            raise Unauthenticated(_NO_KEYS) from e
        except (jwt.PyJWTError, *_NOT_A_DISCOVERY) as e:
            raise Unauthenticated(f"The token was not accepted ({type(e).__name__}).") from e
        if not claims["sub"]:  # nobody's name: it would own what belongs to no account
            raise Unauthenticated("The token names nobody.")
        return Caller(owner=claims["sub"], sees=claims["sub"])

    def _key_client(self) -> jwt.PyJWKClient:
        if self._keys is None:
            try:
                self._keys = jwt.PyJWKClient(self._keys_url(), timeout=_FETCH_SECONDS)
            except (jwt.PyJWKClientError, requests.RequestException, *_NOT_A_DISCOVERY) as e:
                raise Unauthenticated(_NO_KEYS) from e
        return self._keys

    def _keys_url(self) -> str:
        url = f"{self._issuer}/.well-known/openid-configuration"
        found = requests.get(url, timeout=_FETCH_SECONDS, allow_redirects=False)
        found.raise_for_status()
        return str(found.json()["jwks_uri"])
