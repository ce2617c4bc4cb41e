"""Bearer tokens of an issuer on this machine: a good one names its caller, every bad one is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from imagegen.doors.auth import Caller
from tests.harness.issuer import AUDIENCE, EC, HS256, RS256, STRANGER, Token, by_hand, caller, of, refused
from tests.harness.rig import MakeRig

GOOD: dict[str, Callable[[Token], str]] = {
    "RSA": lambda token: token(),
    "an elliptic key": lambda token: token(EC, "ES256", "ec"),
    "several audiences": lambda token: token(aud=["other", AUDIENCE]),
    "more claims": lambda token: token(extra=1),
    "fewer optional ones": lambda token: token(iat=None),
    "expired within what clocks may differ": lambda token: token(exp=datetime.now(UTC) - timedelta(seconds=20)),
    "early within that": lambda token: token(nbf=datetime.now(UTC) + timedelta(seconds=20)),
}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_a_good_token_names_its_caller(issuer: str, token: Token, make: Callable[[Token], str]) -> None:
    """The subject owns what it orders, and sees only that."""
    assert caller(of(issuer), make(token)) == Caller(owner="ada", sees="ada")


def test_an_issuer_with_a_slash(issuer: str, token: Token) -> None:
    """Auth0 writes itself with one."""
    assert caller(of(issuer), token(iss=f"{issuer}/")).owner == "ada"


def changed(token: str, part: int) -> str:
    parts = token.split(".")
    parts[part] = ("A" if parts[part][5] != "A" else "B").join((parts[part][:5], parts[part][6:]))
    return ".".join(parts)


CLAIMS = {"aud": AUDIENCE, "sub": "ada", "exp": 4_000_000_000}
BAD: dict[str, Callable[[Token], str]] = {
    "another audience": lambda token: token(aud="other"),
    "no audience": lambda token: token(aud=None),
    "an empty audience": lambda token: token(aud=[]),
    "another issuer": lambda token: token(iss="https://accounts.example.com"),
    "no issuer": lambda token: token(iss=None),
    "expired": lambda token: token(exp=datetime(2020, 1, 1, tzinfo=UTC)),
    "expired a minute ago": lambda token: token(exp=datetime.now(UTC) - timedelta(minutes=1)),
    "no end": lambda token: token(exp=None),
    "an end that is none": lambda token: token(exp="soon"),
    "an infinite end": lambda token: token(exp=float("inf")),
    "an end that is no number": lambda token: token(exp=float("nan")),
    "early": lambda token: token(nbf=datetime(2099, 1, 1, tzinfo=UTC)),
    "issued tomorrow": lambda token: token(iat=datetime(2099, 1, 1, tzinfo=UTC)),
    "no subject": lambda token: token(sub=None),
    "an empty subject": lambda token: token(sub=""),
    "a subject that is not Unicode": lambda token: token(sub="a\ud800"),
    "none": lambda token: token(None, "none"),
    "none, by hand": lambda _: by_hand({"alg": "none", "kid": "rsa"}, CLAIMS).rpartition(".")[0] + ".",
    "HS256 with the public key": lambda _: by_hand(HS256, CLAIMS),
    "HS256 with nothing": lambda _: by_hand(HS256, CLAIMS, b""),
    "RS256 with an HMAC": lambda _: by_hand(RS256, CLAIMS),
    "a stranger's": lambda token: token(STRANGER, "RS256", "unknown"),
    "a stranger's without a name": lambda token: token(STRANGER, "RS256", None),
    "a stranger's under a known name": lambda token: token(STRANGER, "RS256", "rsa"),
    "another algorithm than its key": lambda token: token(STRANGER, "RS256", "ec"),
    "a key in the token": lambda _: by_hand({**HS256, "jwk": {"kty": "oct", "k": ""}}, CLAIMS, b""),
    "a name that is a list": lambda _: by_hand({"alg": "RS256", "kid": ["rsa"]}, CLAIMS),
    "a head that is a list": lambda _: by_hand([RS256], CLAIMS),
    "a deep head": lambda _: by_hand(b"[" * 5_000, CLAIMS),
    "deep claims": lambda _: by_hand(RS256, b'{"a":' * 2_000),
    "a changed head": lambda token: changed(token(), 0),
    "changed claims": lambda token: changed(token(), 1),
    "a changed signature": lambda token: changed(token(), 2),
    "a megabyte": lambda token: token(extra="x" * 1024 * 1024),
    "x": lambda _: "x",
    "three parts": lambda _: "a.b.c",
    "dots": lambda _: "..",
    "unsigned": lambda _: "eyJhbGciOiJSUzI1NiJ9.e30.",
    "not ASCII": lambda _: "ü",
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_a_bad_token_names_nobody(issuer: str, token: Token, make: Callable[[Token], str]) -> None:
    """The refusal says neither the token nor that it may be good."""
    assert "may be good" not in refused(of(issuer), make(token))


def test_callers_see_only_their_own_images(make_rig: MakeRig, issuer: str, token: Token) -> None:
    """Through the whole function: ada's image does not exist for bob, and without a token nothing does."""
    rig = make_rig(AUTH="oidc", OIDC_ISSUER=issuer, OIDC_AUDIENCE=AUDIENCE)
    ada, bob = ({"Authorization": f"Bearer {token(sub=name)}"} for name in ("ada", "bob"))
    made = rig.call("POST", "/v1/images", {"promptText": "a", "referenceImages": []}, ada)
    path = f"/v1/images/{made.json['id']}"
    assert [rig.call("GET", path, headers=who).status for who in (ada, bob, {})] == [200, 404, 401]
