"""Who is asking. A caller without valid credentials is refused, except where the platform or a setting lets all in.

`iam` leaves the decision to Cloud Run, which lets only invokers reach this code; `none` is open on purpose and
needs a daily cap; `keys` and `oidc` tell callers apart, and each sees only their own images.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from werkzeug.datastructures import Headers

from imagegen.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose images these are. `sees` is None where each caller who gets in may see everything."""

    owner: str = ""
    sees: str | None = None


Authenticator: TypeAlias = Callable[[Headers], Caller]
"""Returns who sent these headers. Raises Unauthenticated, Forbidden."""


def anybody(_headers: Headers) -> Caller:
    """`iam` and `none`: return the one caller there is."""
    return Caller()


class ApiKeys:
    """`keys`: own API keys, of which only hashes are known here."""

    def __init__(self, names_by_digest: Mapping[str, str]) -> None:
        self._names = dict(names_by_digest)

    def caller(self, headers: Headers) -> Caller:
        """Return the caller whose key this is. Every hash is compared, in constant time."""
        digest = hashlib.sha256(credential(headers).encode("utf-8", "surrogatepass")).hexdigest()
        name = next((n for d, n in self._names.items() if hmac.compare_digest(d, digest)), None)
        if name is None:
            raise Unauthenticated("This API key is not known.")
        return Caller(owner=name, sees=name)


def credential(headers: Headers) -> str:
    """Return the bearer token or x-api-key of a request. Raises Unauthenticated where there is none."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    found = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()
    if not found:
        raise Unauthenticated("Send Authorization: Bearer … or x-api-key.")
    return found
