"""Signing with a key file: the URL opens exactly one object, for so long and no longer, and is reused half its life."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from google.auth.exceptions import GoogleAuthError
from hypothesis import given
from hypothesis import strategies as st

from imagegen.errors import StorageUnavailable
from imagegen.google.signing import GcsSigner, signing_credentials, throw_away_credentials
from local.keys import load_keys
from local.storage import StorageServer
from tests.harness.fakes import FakeClock

NAME = "jobs/abc/image.jpg"
DATA = b"an image"
TTL = 600


@pytest.fixture
def clock() -> FakeClock:
    """Both ours and storage's."""
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def server(tmp_path: Path, storage_key: Path, clock: FakeClock) -> Iterator[StorageServer]:
    keys = load_keys([storage_key])
    with StorageServer(tmp_path, keys=keys, buckets=["results"], clock=lambda: clock.now().timestamp()) as made:
        made.put("results", NAME, DATA)
        made.put("results", "jobs/other/image.jpg", DATA)
        yield made


@pytest.fixture(autouse=True)
def surroundings(server: StorageServer, storage_key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(storage_key))


@pytest.fixture
def signer(clock: FakeClock) -> GcsSigner:
    return GcsSigner("results", lambda: signing_credentials(None), TTL, clock)


def status(url: str, method: str = "GET") -> int:
    return requests.request(method, url, timeout=10).status_code


@pytest.mark.parametrize(("ahead", "expected"), [(TTL - 60, 200), (TTL + 60, 400)])
def test_a_url_ends_when_it_says(signer: GcsSigner, clock: FakeClock, ahead: float, expected: int) -> None:
    url = signer.sign(NAME)
    clock.advance(ahead)
    assert status(url.url) == expected


def test_expires_at_is_never_too_late(signer: GcsSigner, clock: FakeClock) -> None:
    """What the resource promises the URL keeps: the time told is not after the URL's own."""
    made = signer.sign(NAME)
    query = dict(parse_qsl(urlsplit(made.url).query))
    begins = datetime.strptime(query["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert made.expires_at <= begins + timedelta(seconds=int(query["X-Goog-Expires"]))
    assert clock.now() < made.expires_at


def test_a_url_is_reused_for_half_of_its_life(signer: GcsSigner, clock: FakeClock) -> None:
    """Until then it is the same, of this name alone; from then on there is a new one."""
    first = signer.sign(NAME)
    assert signer.sign("jobs/other/image.jpg").url != first.url
    clock.advance(TTL / 2 - 2)
    assert signer.sign(NAME) is first
    clock.advance(4)
    assert signer.sign(NAME).expires_at > first.expires_at


@given(st.lists(st.floats(0, 2 * TTL), max_size=12))
def test_whoever_gets_a_url_can_use_it(pauses: list[float]) -> None:
    """Whenever it is asked for: at least half of its life, a second for rounding apart, lies before it."""
    clock = FakeClock(datetime.now(UTC))
    signer = GcsSigner("results", lambda: CREDENTIALS, TTL, clock)
    for pause in pauses:
        clock.advance(pause)
        assert (signer.sign(NAME).expires_at - clock.now()).total_seconds() >= TTL / 2 - 1


CREDENTIALS = throw_away_credentials()


def test_a_throw_away_key_convinces_no_real_storage(clock: FakeClock) -> None:
    """It exists for emulators that check nothing; storage that checks refuses it."""
    signer = GcsSigner("results", throw_away_credentials, TTL, clock)
    assert status(signer.sign(NAME).url) == 403


@pytest.mark.parametrize("content", [None, "", "{}", "not json", '{"type": "service_account"}'])
def test_a_broken_key_file_is_told(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    """Missing, empty or senseless: no URL could be signed, and nothing of the file is in the error."""
    file = tmp_path / "broken.json"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    signer = GcsSigner("results", lambda: signing_credentials(None), TTL, clock)
    with pytest.raises(StorageUnavailable) as caught:
        signer.sign(NAME)
    assert str(tmp_path) not in caught.value.detail


def test_credentials_are_looked_for_again(clock: FakeClock) -> None:
    """A metadata server that was away for a moment does not end signing for the life of the process."""
    found = [GoogleAuthError("not now")]

    def find() -> object:
        if found:
            raise found.pop()
        return signing_credentials(None)

    signer = GcsSigner("results", find, TTL, clock)
    with pytest.raises(StorageUnavailable):
        signer.sign(NAME)
    assert status(signer.sign(NAME).url) == 200
