"""Bearer tokens of an issuer on this machine: a good one names its caller, every kind of bad one nobody."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pytest_httpserver import HTTPServer
from werkzeug import Response
from werkzeug.datastructures import Headers

from imagegen.doors.auth import Caller
from imagegen.doors.oidc import OidcTokens
from imagegen.errors import Unauthenticated
from tests.harness.issuer import AUDIENCE, jwk
from tests.harness.rig import MakeRig

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
Token = Callable[..., str]


@pytest.fixture
def issuer(httpserver: HTTPServer) -> str:
    url = httpserver.url_for("").rstrip("/")
    keys = [jwk("RS256", RSA.public_key(), "rsa"), jwk("ES256", EC.public_key(), "ec")]
    httpserver.expect_request("/.well-known/openid-configuration").respond_with_json({"jwks_uri": f"{url}/jwks"})
    httpserver.expect_request("/jwks").respond_with_json({"keys": keys})
    return url


@pytest.fixture
def token(issuer: str) -> Token:
    """Return what makes a good token, or one with these claims (None: left out), key, algorithm or kid."""

    def make(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "rsa", **changed: object) -> str:  # noqa: ANN401
        now = datetime.now(UTC)
        good = {"iss": issuer, "aud": AUDIENCE, "sub": "ada", "iat": now, "exp": now + timedelta(minutes=5)}
        claims = {name: value for name, value in {**good, **changed}.items() if value is not None}
        return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)

    return make


def caller(issuer: str, token: str) -> Caller:
    return OidcTokens(issuer, AUDIENCE).caller(Headers({"Authorization": f"Bearer {token}"}))


def refused(issuer: str, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        caller(issuer, token)
    return caught.value.detail


def test_a_good_token_names_its_caller(issuer: str, token: Token) -> None:
    """The subject owns what it orders, and sees only that."""
    assert caller(issuer, token()) == Caller(owner="ada", sees="ada")


@pytest.mark.parametrize("claims", [{"aud": ["other", AUDIENCE]}, {"extra": 1}, {"iat": None}])
def test_other_good_tokens(issuer: str, token: Token, claims: dict[str, object]) -> None:
    """Several audiences, more claims, fewer optional ones."""
    assert caller(issuer, token(**claims)).owner == "ada"


def test_an_elliptic_key(issuer: str, token: Token) -> None:
    """The issuer says which of its keys signed."""
    assert caller(issuer, token(EC, "ES256", "ec")).owner == "ada"


def test_an_issuer_with_a_slash(issuer: str, token: Token) -> None:
    """Auth0 writes itself with one."""
    assert caller(issuer, token(iss=f"{issuer}/")).owner == "ada"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": None},
        {"aud": []},
        {"iss": "https://accounts.example.com"},
        {"iss": None},
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": datetime(2099, 1, 1, tzinfo=UTC)},
        {"iat": datetime(2099, 1, 1, tzinfo=UTC)},
        {"sub": None},
        {"sub": ""},
    ],
    ids=str,
)
def test_a_token_with_wrong_claims(issuer: str, token: Token, claims: dict[str, object]) -> None:
    """Somebody else's, expired, not yet valid, or of nobody; the refusal names the kind and not the token."""
    bad = token(**claims)
    said = refused(issuer, bad)
    assert bad not in said
    assert "may be good" not in said


def test_a_token_without_a_signature(issuer: str, token: Token) -> None:
    """`none` is no algorithm."""
    assert refused(issuer, token(None, "none"))


def test_a_token_signed_with_the_public_key(issuer: str) -> None:
    """The public key as a shared secret (HS256): the oldest trick."""
    import base64  # noqa: PLC0415 - PyJWT refuses to make such a token, so it is made by hand
    import hmac  # noqa: PLC0415

    def part(value: bytes) -> bytes:
        return base64.urlsafe_b64encode(value).rstrip(b"=")

    claims = {"iss": issuer, "aud": AUDIENCE, "sub": "ada", "exp": 4_000_000_000}
    head = json.dumps({"alg": "HS256", "typ": "JWT", "kid": "rsa"}).encode()
    signed = part(head) + b"." + part(json.dumps(claims).encode())
    forged = signed + b"." + part(hmac.digest(PUBLIC_PEM, signed, "sha256"))
    assert refused(issuer, forged.decode())


@pytest.mark.parametrize("kid", ["unknown", None, "ec"])
def test_a_stranger_s_token(issuer: str, token: Token, kid: str | None) -> None:
    """Signed with a key that the issuer does not publish, whatever it says of it."""
    assert refused(issuer, token(STRANGER, "RS256", kid))


def test_a_stranger_with_a_known_name(issuer: str, token: Token) -> None:
    """The name of a key is no key."""
    assert refused(issuer, token(STRANGER, "RS256", "rsa"))


@pytest.mark.parametrize("text", ["x", "a.b.c", "..", "eyJhbGciOiJSUzI1NiJ9.e30.", "ü", "null"])
def test_what_is_no_token(issuer: str, text: str) -> None:
    """Any text is refused."""
    assert refused(issuer, text)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_that_was_changed(issuer: str, token: Token, part: int) -> None:
    """In its head, its claims or its signature."""
    parts = token().split(".")
    parts[part] = ("A" if parts[part][5] != "A" else "B").join((parts[part][:5], parts[part][6:]))
    assert refused(issuer, ".".join(parts))


@pytest.mark.parametrize(
    "configuration",
    [
        Response("no", 500),
        Response("<html>", 200),
        Response("{}", 200),
        Response("[]", 200),
        Response("", 302, {"Location": "http://127.0.0.1:9/"}),
    ],
    ids=lambda response: f"{response.status_code}-{response.get_data(as_text=True)[:12]}",
)
def test_an_issuer_in_trouble(httpserver: HTTPServer, token: Token, configuration: Response) -> None:
    """Nobody can be told apart then, so nobody comes in, and the next one may be luckier."""
    good = token()
    httpserver.clear()
    httpserver.expect_ordered_request("/.well-known/openid-configuration").respond_with_response(configuration)
    url = httpserver.url_for("").rstrip("/")
    tokens = OidcTokens(url, AUDIENCE)
    with pytest.raises(Unauthenticated, match="may be good"):
        tokens.caller(Headers({"Authorization": f"Bearer {good}"}))
    httpserver.clear()
    httpserver.expect_request("/.well-known/openid-configuration").respond_with_json({"jwks_uri": f"{url}/jwks"})
    httpserver.expect_request("/jwks").respond_with_json({"keys": [jwk("RS256", RSA.public_key(), "rsa")]})
    assert tokens.caller(Headers({"Authorization": f"Bearer {good}"})).owner == "ada"


@pytest.mark.parametrize("uri", [5, "", "file:///etc/passwd", "http://127.0.0.1:9/jwks"])
def test_an_issuer_without_keys(httpserver: HTTPServer, token: Token, uri: object) -> None:
    """What it says of where its keys are leads nowhere: nobody comes in, and nobody is told to throw its token away."""
    good = token()
    httpserver.clear()
    httpserver.expect_request("/.well-known/openid-configuration").respond_with_json({"jwks_uri": uri})
    assert "may be good" in refused(httpserver.url_for("").rstrip("/"), good)


def test_callers_see_only_their_own_images(make_rig: MakeRig, issuer: str, token: Token) -> None:
    """Through the whole function: ada's image does not exist for bob, and without a token nothing does."""
    rig = make_rig(AUTH="oidc", OIDC_ISSUER=issuer, OIDC_AUDIENCE=AUDIENCE)
    ada, bob = ({"Authorization": f"Bearer {token(sub=name)}"} for name in ("ada", "bob"))
    made = rig.call("POST", "/v1/images", {"promptText": "a", "referenceImages": []}, ada)
    path = f"/v1/images/{made.json['id']}"
    assert [rig.call("GET", path, headers=who).status for who in (ada, bob, {})] == [200, 404, 401]
