"""Who is asking, where the platform does not say: own API keys, of which only digests are known here."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers

from imagegen.doors.auth import ApiKeys, Caller, anybody
from imagegen.errors import Unauthenticated
from tests.cases import load

KEYS = {"key-of-ada": "ada", "second-key-of-ada": "ada", "key-of-bob": "bob"}
API_KEYS = ApiKeys({sha256(key.encode()).hexdigest(): name for key, name in KEYS.items()})


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"x-api-key": "x"}])
def test_where_the_platform_decides_everybody_is_one_caller(headers: dict[str, str]) -> None:
    """Every caller may come in, and sees every image."""
    assert anybody(Headers(headers)) == Caller(owner="", sees=None)


@pytest.mark.parametrize(("key", "name"), KEYS.items())
@pytest.mark.parametrize("header", ["bearer", "Bearer", "BEARER", "x-api-key", "X-Api-Key"])
def test_a_key_names_its_caller(key: str, name: str, header: str) -> None:
    """In either header, however it is spelled; a caller may have several keys, and sees only their own images."""
    sent = {header: key} if header.lower() == "x-api-key" else {"Authorization": f"{header} {key}"}
    assert API_KEYS.caller(Headers(sent)) == Caller(owner=name, sees=name)


@pytest.mark.parametrize("headers", load("bad_credentials"), ids=str)
def test_anything_else_is_nobody(headers: dict[str, str]) -> None:
    """A digest is not a key, a wrong credential is not made good by another one; without keys nobody comes in."""
    for keys in (API_KEYS, ApiKeys({})):
        with pytest.raises(Unauthenticated):
            keys.caller(Headers(headers))


@given(st.text(max_size=50))
def test_any_text_as_a_key(text: str) -> None:
    """It is refused like any wrong key, and not repeated in the refusal."""
    headers = Headers()
    headers._list = [("Authorization", f"Bearer sentinel{text}")]
    with pytest.raises(Unauthenticated) as caught:
        API_KEYS.caller(headers)
    assert "sentinel" not in json.dumps(caught.value.detail)
