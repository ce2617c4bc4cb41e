"""Answers that no vendor should give: each of them once cost an image, or an answer, that was paid for."""

import base64
import io
import json
import socket
import tracemalloc
from collections.abc import Callable

import pytest
from PIL import Image

from imagegen import connections, errors
from imagegen.model import ImageRequest
from imagegen.ports import Deadline, StillGenerating
from imagegen.segmind.assets import SegmindAssets
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.hosted import fetch_hosted
from imagegen.segmind.images import picture_in
from imagegen.segmind.v1 import SegmindV1
from imagegen.segmind.v2 import SegmindV2
from tests.harness.clock import FakeClock
from tests.harness.stubs import Handler, Stub, answer

Reply = tuple[str, bytes]


def jpeg() -> bytes:
    made = io.BytesIO()
    Image.effect_noise((61, 33), 90).save(made, "JPEG")
    return made.getvalue()


def said(value: object, status: str = "200") -> Reply:
    return status, json.dumps(value).encode()


def polite(head: str, body: bytes = b"") -> Handler:
    """Answer, then hear the client out: a close under a request that is still coming would reset the answer away."""

    def handler(connection: socket.socket, request: bytes) -> None:
        answer(f"{head}\nConnection: close", body)(connection, request)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    return handler


class Vendor:
    """A v2 whose looks are a script: the last of it is said for ever."""

    def __init__(self, *looks: Reply, request_id: str = "r1", images: tuple[str, ...] = ("200",)) -> None:
        self.stub = Stub(self._answer)
        self.looks, self.images = list(looks), list(images)
        self.request_id, self.fetched = request_id, 0

    def _answer(self, connection: socket.socket, request: bytes) -> None:
        status, body = self._reply(request.split(b" ", 2)[1].decode(), post=request.startswith(b"POST"))
        polite(f"HTTP/1.1 {status} X", body)(connection, request)

    def _reply(self, path: str, *, post: bool) -> Reply:
        if post:
            return said({"request_id": self.request_id})
        if path == "/image":
            self.fetched += 1
            return (self.images.pop(0) if len(self.images) > 1 else self.images[0]), jpeg()
        if path.endswith("/status"):
            return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return said({"status": "COMPLETED", "output": f"{self.stub.url}/image"})

    def generate(self, clock: FakeClock) -> int:
        with self.stub:
            calls = SegmindClient("SG_secret", self.stub.url, clock, 2)
            deadline = Deadline.within(clock, 180)
            with SegmindV2(calls, clock).generate(ImageRequest("x"), deadline, lambda _: True) as generation:
                return generation.read(0.0).width


MISSING, WORKING, DONE = (
    said({"error": "unknown"}, "404"),
    said({"status": "PROCESSING"}),
    said({"status": "COMPLETED"}),
)


@pytest.mark.parametrize("looks", [[MISSING] * 6, [MISSING, MISSING, WORKING] * 6], ids=["late", "flickering"])
def test_a_record_that_is_missing_now_and_then(looks: list[Reply]) -> None:
    """Seconds of 404s after a submit, or some among other answers, do not end what was paid for."""
    assert Vendor(*looks, DONE).generate(FakeClock()) == 61


@pytest.mark.parametrize("status", ["400", "401", "403", "429", "500", "503"])
def test_a_failed_look_is_not_a_failed_generation(status: str) -> None:
    """Only 422 is Segmind's word for a generation that FAILED; any other error is one of the look."""
    assert Vendor(said({"status": "FAILED", "error": "Too many requests"}, status), DONE).generate(FakeClock()) == 61


@pytest.mark.parametrize("status", [[], {"a": 1}, None, 5, ["COMPLETED"]])
def test_a_status_that_is_no_word(status: object) -> None:
    """It is worth another look, and at the deadline still generating."""
    with pytest.raises(StillGenerating):
        Vendor(said({"status": status})).generate(FakeClock())


@pytest.mark.parametrize("request_id", ["a\nb", "\ud800", "é", "a b", "x" * 201])
def test_an_id_that_cannot_be_written_down(request_id: str) -> None:
    """It can stand neither in a header nor in a path: as if there were none."""
    with pytest.raises(errors.OutcomeUnknown):
        Vendor(DONE, request_id=request_id).generate(FakeClock())


@pytest.mark.parametrize("status", ["404", "408", "429", "500", "503"])
def test_a_hosted_image_that_comes_late(status: str) -> None:
    """Fetching is free: a store that is not ready is asked again."""
    vendor = Vendor(DONE, images=(status,) * 5 + ("200",))
    assert (vendor.generate(FakeClock()), vendor.fetched) == (61, 6)


@pytest.mark.parametrize(("status", "fetches"), [("404", 7), ("403", 1), ("410", 1), ("302", 1)])
def test_a_hosted_image_that_never_comes(status: str, fetches: int) -> None:
    """It is given up, and at once where asking again cannot help."""
    vendor = Vendor(DONE, images=(status,))
    with pytest.raises(errors.SegmindBadImage, match=status):
        vendor.generate(FakeClock())
    assert vendor.fetched == fetches


@pytest.mark.parametrize("url", ["http://[", "http://example.com/x", "ftp://x/y"])
def test_a_url_that_can_never_be_fetched(url: str) -> None:
    """It is refused at once."""
    clock = FakeClock()
    with pytest.raises(errors.SegmindBadImage):
        fetch_hosted(SegmindClient("SG_secret", "http://127.0.0.1:9", clock, 2), url, Deadline.within(clock, 60))
    assert clock.monotonic() == FakeClock().monotonic()


def buy(head: str, body: bytes = b"{}") -> errors.SegmindError:
    clock = FakeClock()
    with Stub(polite(head, body)) as stub:
        v1 = SegmindV1(SegmindClient("SG_secret", stub.url, clock, 2), clock)
        with pytest.raises(errors.SegmindError) as caught:
            v1.generate(ImageRequest("x"), Deadline.within(clock, 60), lambda _: True)
    return caught.value


@pytest.mark.parametrize("location", ["http://[", "//", "http://a:99999999/", "ftp://x", "\x01"])
def test_a_redirect_to_nowhere(location: str) -> None:
    """Its target is not even read."""
    assert buy(f"HTTP/1.1 302 X\nLocation: {location}").code == "segmind-failed"


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


@pytest.mark.parametrize("name", ["Retry-After", "x-rate-limit-reset-at-utc"])
def test_a_date_that_no_calendar_has(name: str) -> None:
    """A limit that names no time, like any other."""
    head = f"HTTP/1.1 429 X\n{name}: Mon, 99999999999999999999 Jan 2020 00:00:00 +0000"
    assert buy(head).code == "segmind-rate-limited"


@pytest.mark.parametrize("status", [103, 303, 408, 499])
def test_a_status_that_leaves_the_outcome_open(status: int) -> None:
    """The request was taken, and this says nothing of what became of it."""
    assert buy(f"HTTP/1.1 {status} X").code == "outcome-unknown"


@pytest.mark.parametrize(
    ("text", "code"),
    [("Not enough credits left", "insufficient-credits"), ("Invalid ratio for this quota", "rejected-by-segmind")],
)
def test_a_422_about_money(text: str, code: str) -> None:
    """It is the account's fault unless it blames the request."""
    assert buy("HTTP/1.1 422 X", json.dumps({"error": text}).encode()).code == code


SPELLINGS: dict[str, Callable[[bytes], str]] = {
    "in lines": lambda data: base64.encodebytes(data).decode(),
    "for urls": lambda data: base64.urlsafe_b64encode(data).decode(),
    "unpadded": lambda data: base64.b64encode(data).decode().rstrip("="),
    "data url": lambda data: "DATA:image/jpeg;base64," + base64.b64encode(data).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_base64_as_anybody_writes_it(spelling: str) -> None:
    """And beside a word that is no image."""
    body = json.dumps({"image": "done", "output": SPELLINGS[spelling](jpeg())}).encode()
    assert picture_in(body, lambda url: url.encode()).width == 61


def test_a_url_beside_a_word() -> None:
    """The first string need not be the image."""
    body = json.dumps({"image": "done", "output": "https://example.com/y.jpg"}).encode()
    assert picture_in(body, lambda _: jpeg()).width == 61


@pytest.mark.parametrize(
    "value",
    [{"file_urls": "https://x/y.png"}, {"urls": [None]}, {"urls": [""]}, {"urls": [{}]}, {"urls": ["file:///etc"]}, []],
)
def test_an_upload_that_names_no_place(value: object) -> None:
    """A reference is never handed on as a letter, a None or a file."""
    clock = FakeClock()
    with Stub(polite("HTTP/1.1 200 OK", json.dumps(value).encode())) as stub:
        assets = SegmindAssets(SegmindClient("SG_secret", stub.url, clock, 2), f"{stub.url}/up")
        with pytest.raises(errors.SegmindFailed):
            assets.upload("data:x", Deadline.within(clock, 9))


@pytest.mark.parametrize("address", ["64:ff9b::a00:1", "2002:a00:1::1", "::a00:1", "::ffff:10.0.0.1", "fe80::1%lo"])
def test_a_private_address_inside_another(address: str) -> None:
    """What a gateway would unwrap into our own network is not public."""
    assert not connections.is_public(address)
    assert connections.is_public("2606:4700::1111")


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


def test_an_image_in_json_beside_much_else() -> None:
    """Thousands of values are still an answer."""
    body = json.dumps({"log": ["step"] * 5_000, "image": base64.b64encode(jpeg()).decode()}).encode()
    assert picture_in(body, lambda _: jpeg()).width == 61
