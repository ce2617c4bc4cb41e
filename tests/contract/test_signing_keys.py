"""An issuer's keys: few fetches, however many tokens name others, and nobody is locked out for good."""

import socket
from collections.abc import Callable

import pytest
from pytest_httpserver import HTTPServer

from imagegen.doors.oidc import OidcTokens
from imagegen.doors.signing_keys import SigningKeys
from tests.harness.clock import FakeClock
from tests.harness.issuer import AUDIENCE, RSA, STRANGER, Token, caller, jwk, of, publish, refused
from tests.harness.stubs import Stub, answer, wait


def test_a_flood_of_unknown_keys_is_one_fetch_a_minute(httpserver: HTTPServer, issuer: str, token: Token) -> None:
    """However many tokens name keys that there are not; a good token comes in all the while."""
    clock = FakeClock()
    tokens, good = of(issuer, clock), token()
    for minute in range(3):
        for i in range(200):
            refused(tokens, token(kid=f"key-{minute}-{i}"))
        assert caller(tokens, good).owner == "ada"
        assert [request.path for request, _ in httpserver.log].count("/jwks") == minute + 1
        clock.advance(60)


def test_rotated_keys_are_found_within_a_minute(httpserver: HTTPServer, issuer: str, token: Token) -> None:
    """The new key is asked for when a token names it; the old one is forgotten then."""
    clock = FakeClock()
    tokens, old, new = of(issuer, clock), token(), token(STRANGER, "RS256", "new")
    assert caller(tokens, old).owner == "ada"
    publish(httpserver, [jwk("RS256", STRANGER.public_key(), "new")])
    assert refused(tokens, new)
    clock.advance(60)
    assert caller(tokens, new).owner == "ada"
    assert refused(tokens, old)


def test_known_keys_outlive_an_issuer_that_is_down(httpserver: HTTPServer, issuer: str, token: Token) -> None:
    """For an hour; it is asked once a minute meanwhile, and when it is back everything is as before."""
    clock = FakeClock()
    tokens, good = of(issuer, clock), token()
    assert caller(tokens, good).owner == "ada"
    keys = [jwk("RS256", RSA.public_key(), "rsa")]
    httpserver.clear()
    for _ in range(59):
        clock.advance(60)
        assert [caller(tokens, good).owner for _ in range(3)] == ["ada"] * 3
    assert 50 < len(httpserver.log) <= 59
    assert "may be good" in refused(tokens, token(kid="unknown"))
    clock.advance(60)
    assert "may be good" in refused(tokens, good)
    publish(httpserver, keys)
    clock.advance(5)
    assert caller(tokens, good).owner == "ada"


def drip(connection: socket.socket, request: bytes) -> None:
    """Answer a byte now and then, for ever."""
    del request
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    while True:
        connection.sendall(b" ")
        connection.settimeout(0.05)
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


def endless(connection: socket.socket, request: bytes) -> None:
    """Answer as much as is read."""
    del request
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 65_536)


OK = "HTTP/1.1 200 OK"
TROUBLE: dict[str, Callable[[socket.socket, bytes], None]] = {
    "500": answer("HTTP/1.1 500 No"),
    "a page": answer(OK, b"<html>"),
    "an empty object": answer(OK, b"{}"),
    "a list": answer(OK, b"[]"),
    "no keys": answer(OK, b'{"keys": []}'),
    "keys that are none": answer(OK, b'{"keys": [7, {"kty": "RSA", "kid": "rsa"}]}'),
    "deep": answer(OK, b"[" * 100_000),
    "not UTF-8": answer(OK, b"\xff"),
    "a redirect": answer("HTTP/1.1 302 There\nLocation: http://127.0.0.1:9/"),
    "huge": answer(OK, b" " * 2 * 1024 * 1024 + b"{}"),
    "endless": endless,
    "silent": wait,
    "dripping": drip,
}


@pytest.mark.parametrize("discovery", [False, True])
@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE)
def test_an_issuer_in_trouble(
    httpserver: HTTPServer,
    issuer: str,
    token: Token,
    trouble: Callable[[socket.socket, bytes], None],
    discovery: bool,
) -> None:
    """Its document or its keys: nobody comes in, no token is told to be bad, and a moment later all is well."""
    clock, good = FakeClock(), token()
    with Stub(trouble) as stub:
        url = stub.url if discovery else issuer
        tokens = OidcTokens(issuer, AUDIENCE, SigningKeys(url, clock, 0.3))
        if not discovery:
            httpserver.clear()
            found = {"jwks_uri": f"{stub.url}/jwks"}
            httpserver.expect_request("/.well-known/openid-configuration").respond_with_json(found)
        assert "may be good" in refused(tokens, good)
        assert "may be good" in refused(tokens, good)
        assert stub.connections == 1
        if not discovery:
            publish(httpserver, [jwk("RS256", RSA.public_key(), "rsa")])
            clock.advance(5)
            assert caller(tokens, good).owner == "ada"


@pytest.mark.parametrize("uri", [5, "", "file:///etc/passwd", "http://127.0.0.1:9/jwks", "http://[", None])
def test_an_issuer_without_keys(httpserver: HTTPServer, issuer: str, token: Token, uri: object) -> None:
    """What it says of where its keys are leads nowhere: nobody comes in, and nobody is told to throw its token away."""
    good = token()
    httpserver.clear()
    httpserver.expect_request("/.well-known/openid-configuration").respond_with_json({"jwks_uri": uri})
    assert "may be good" in refused(of(issuer), good)
