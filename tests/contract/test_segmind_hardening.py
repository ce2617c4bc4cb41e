"""Answers that no vendor should give: each of them once cost an image, or an answer, that was paid for."""

import base64
import json
import socket
import tracemalloc
from collections.abc import Callable

import pytest

from imagegen import errors
from imagegen.ports import Deadline
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.hosted import fetch_hosted
from imagegen.segmind.images import picture_in
from tests.harness.clock import FakeClock
from tests.harness.stubs import Stub, jpeg, polite


@pytest.mark.parametrize("url", ["http://[", "http://example.com/x", "ftp://x/y"])
def test_a_url_that_can_never_be_fetched(url: str) -> None:
    clock = FakeClock()
    with pytest.raises(errors.SegmindBadImage):
        fetch_hosted(SegmindClient("SG_secret", "http://127.0.0.1:9", clock, 2), url, Deadline.within(clock, 60))
    assert clock.monotonic() == FakeClock().monotonic()


def test_a_redirect_without_an_end() -> None:
    """Nor is more of its body than of any other error's."""
    sent: list[int] = []

    def endless(connection: socket.socket, request: bytes) -> None:
        del request
        connection.sendall(b"HTTP/1.1 302 X\r\nLocation: https://example.com/\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(2_000):
            connection.sendall(b"10000\r\n" + b"a" * 65_536 + b"\r\n")
            sent.append(65_536)

    clock = FakeClock()
    with Stub(endless) as stub, pytest.raises(errors.SegmindFailed):
        SegmindClient("SG_secret", stub.url, clock, 2).call("POST", "/v1/x", Deadline.within(clock, 60), {})
    assert sum(sent) < 50 << 20


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


ANSWERS: dict[str, Callable[[bytes], object]] = {
    "base64 in lines": lambda data: {"image": "done", "output": base64.encodebytes(data).decode()},
    "base64 for urls": lambda data: {"image": "done", "output": base64.urlsafe_b64encode(data).decode()},
    "base64 unpadded": lambda data: {"image": "done", "output": b64(data).rstrip("=")},
    "a data url": lambda data: {"image": "done", "output": f"DATA:image/jpeg;base64,{b64(data)}"},
    "a url": lambda _: {"image": "done", "output": "https://example.com/y.jpg"},
    "beside much else": lambda data: {"log": ["step"] * 5_000, "image": b64(data)},
}


@pytest.mark.parametrize("written", ANSWERS.values(), ids=ANSWERS)
def test_an_image_in_json_as_anybody_writes_it(written: Callable[[bytes], object]) -> None:
    """The first string need not be the image, and thousands of values are still an answer."""
    assert picture_in(json.dumps(written(jpeg())).encode(), lambda _: jpeg()).width == 61


@pytest.mark.parametrize("location", ["http://[", "//", "http://a:99999999/", "ftp://x", "\x01"])
def test_a_redirect_to_nowhere(location: str) -> None:
    """Its target is not even read."""
    clock = FakeClock()
    with Stub(polite(f"HTTP/1.1 302 X\nLocation: {location}", b"{}")) as stub, pytest.raises(errors.SegmindFailed):
        SegmindClient("SG_secret", stub.url, clock, 2).call("POST", "/v1/x", Deadline.within(clock, 60), {})


@pytest.mark.parametrize("wide", [b"{}", b"[]", b"1", b'{"a":[1]}', b'""'])
def test_json_of_millions_of_values(wide: bytes) -> None:
    """It is told to be no image without being read: parsed, it would take thirty times its size in memory."""
    body = b'{"images": [' + b",".join([wide] * 1_000_000) + b"]}"
    tracemalloc.start()
    with pytest.raises(errors.SegmindBadImage, match="neither an image nor JSON"):
        picture_in(body, lambda _: jpeg())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(body)
