"""Answers that say nothing, break on the way or come too late: what was paid for is never told to be free."""

import json
import socket

import pytest

from imagegen import errors
from imagegen.model import ImageRequest
from imagegen.ports import Deadline, StillGenerating
from imagegen.segmind.assets import SegmindAssets
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.v1 import SegmindV1
from imagegen.segmind.v2 import SegmindV2
from tests.harness.clock import FakeClock
from tests.harness.stubs import Stub, answer, hang_up, jpeg, polite

Reply = tuple[str, bytes]


def said(value: object, status: str = "200") -> Reply:
    return status, json.dumps(value).encode()


class Vendor:
    """A v2 whose looks are a script, the last of which is said for ever; so are its other answers."""

    def __init__(
        self,
        *looks: Reply,
        submit: Reply | None = None,
        record: Reply | None = None,
        images: tuple[str, ...] = ("200",),
    ) -> None:
        self.stub = Stub(self._answer)
        self.looks, self.images, self.fetched = list(looks), list(images), 0
        self.submit = submit or said({"request_id": "r1"})
        self.record = record or said({"status": "COMPLETED", "output": f"{self.stub.url}/image"})

    def _answer(self, connection: socket.socket, request: bytes) -> None:
        status, body = self._reply(request.split(b" ", 2)[1].decode(), post=request.startswith(b"POST"))
        polite(f"HTTP/1.1 {status} X", body)(connection, request)

    def _reply(self, path: str, *, post: bool) -> Reply:
        if post:
            return self.submit
        if path == "/image":
            self.fetched += 1
            return (self.images.pop(0) if len(self.images) > 1 else self.images[0]), jpeg()
        if path.endswith("/status"):
            return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return self.record

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


LOOKS: dict[str, list[Reply]] = {
    "404s after the submit": [MISSING] * 6,
    "404s among other answers": [MISSING, MISSING, WORKING] * 6,
    **{f"an error of the look, {status}": [said({"status": "FAILED", "error": "Too many requests"}, status)]
       for status in ("400", "401", "403", "429", "500", "503")},
    "a page": [("200", b"<html>"), WORKING],
    "an array": [said([1]), WORKING],
    "null": [said(None), WORKING],
    "nested too deeply": [("200", b"[" * 100_000), WORKING],
}  # fmt: skip


@pytest.mark.parametrize("looks", LOOKS.values(), ids=LOOKS)
def test_a_look_that_says_nothing(looks: list[Reply]) -> None:
    """It is looked again: only 422 is Segmind's word for a generation that FAILED."""
    assert Vendor(*looks, DONE).generate(FakeClock()) == 61


@pytest.mark.parametrize("status", [[], {"a": 1}, None, 5, ["COMPLETED"]])
def test_a_status_that_is_no_word(status: object) -> None:
    """It is worth another look, and at the deadline still generating."""
    with pytest.raises(StillGenerating):
        Vendor(said({"status": status})).generate(FakeClock())


IDS = ["a\nb", "\ud800", "é", "a b", "x" * 201, "\n"]  # which can stand neither in a header nor in a path
NO_IDS = [("200", b"<html>"), said({}), said([]), ("200", b""), *(said({"request_id": one}) for one in IDS)]


@pytest.mark.parametrize("submit", NO_IDS, ids=range(len(NO_IDS)))
def test_a_submit_without_an_id(submit: Reply) -> None:
    """It was taken, so it may be billed, and it cannot be asked about."""
    with pytest.raises(errors.OutcomeUnknown, match="no request id"):
        Vendor(DONE, submit=submit).generate(FakeClock())


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


@pytest.mark.parametrize(
    ("said_of_it", "kind"),
    [("the model broke", errors.SegmindFailed), ("SAFETY.INPUT.TEXT", errors.RejectedBySegmind)],
)
def test_a_record_that_says_failed(said_of_it: str, kind: type[errors.SegmindError]) -> None:
    """Its words tell the request's fault from Segmind's own."""
    failed = said({"status": "FAILED", "error": said_of_it})
    with pytest.raises(kind):
        Vendor(said({"status": "FAILED"}), record=failed).generate(FakeClock())


def test_a_record_that_goes_on_after_all() -> None:
    """The status said that it ended, the record that it has not: it is looked again."""
    with pytest.raises(StillGenerating):
        Vendor(DONE, record=said({"status": "PROCESSING"})).generate(FakeClock())


NOWHERE = [
    {"file_urls": "https://x/y.png"},
    {"urls": [None]},
    {"urls": [""]},
    {"urls": [{}]},
    {"urls": ["file:///x"]},
    [],
]


@pytest.mark.parametrize("value", NOWHERE)
def test_an_upload_that_names_no_place(value: object) -> None:
    """A reference is never handed on as a letter, a None or a file."""
    clock = FakeClock()
    with Stub(polite("HTTP/1.1 200 OK", json.dumps(value).encode())) as stub:
        assets = SegmindAssets(SegmindClient("SG_secret", stub.url, clock, 2), f"{stub.url}/up")
        with pytest.raises(errors.SegmindFailed):
            assets.upload("data:x", Deadline.within(clock, 9))


@pytest.mark.parametrize("silent", [False, True])
def test_an_upload_that_may_have_arrived_is_free(silent: bool) -> None:
    """Uploads cost nothing, so an outcome that is not known is told as one that was not billed; a URL is handed on."""
    clock = FakeClock()
    hosted = polite("HTTP/1.1 200 OK", b'{"file_urls": ["https://hosted.example/1"]}')
    with Stub(hang_up if silent else hosted) as stub:
        assets = SegmindAssets(SegmindClient("SG_secret", stub.url, clock, 2), f"{stub.url}/up")
        if not silent:
            assert assets.upload("data:x", Deadline.within(clock, 9)) == "https://hosted.example/1"
            return
        with pytest.raises(errors.SegmindUnreachable, match="could not be handed") as caught:
            assets.upload("data:x", Deadline.within(clock, 9))
    assert (caught.value.billed, caught.value.frees_key) == ("no", True)


def test_without_time_nothing_is_called() -> None:
    clock = FakeClock()
    with Stub(polite("HTTP/1.1 200 OK")) as stub, pytest.raises(errors.SegmindUnreachable, match="No time was left"):
        SegmindClient("SG_secret", stub.url, clock, 2).call("POST", "/x", Deadline.within(clock, 0.0))
    assert stub.connections == 0


@pytest.mark.parametrize(
    ("head", "body", "kind"),
    [
        ("Transfer-Encoding: chunked", b"4\r\nRIFF\r\n", errors.SegmindBadImage),  # cut: it was billed
        ("Content-Encoding: gzip", b"no gzip", errors.OutcomeUnknown),
        ("X-Length: none", b"x" * (33 << 20), errors.SegmindBadImage),  # larger than an image can be
    ],
)
def test_a_body_whose_length_is_not_known(head: str, body: bytes, kind: type[errors.SegmindError]) -> None:
    """Cut, damaged or without an end: it is told apart, and read no further than an image can be."""

    def handler(connection: socket.socket, _: bytes) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n{head}\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    clock = FakeClock()
    with Stub(handler) as stub:
        client = SegmindV1(SegmindClient("SG_secret", stub.url, clock, 2), clock)
        generation = client.generate(ImageRequest("x"), Deadline.within(clock, 180), lambda _: True)
        with generation, pytest.raises(kind):
            generation.read(0.0)


def test_an_error_whose_body_breaks() -> None:
    """Its status counts; what of its words never came does not matter."""
    clock = FakeClock()
    broken = answer("HTTP/1.1 401 X\nTransfer-Encoding: chunked", b"zz\r\n")
    with Stub(broken) as stub, pytest.raises(errors.SegmindUnauthorized):
        SegmindClient("SG_secret", stub.url, clock, 2).call("GET", "/x", Deadline.within(clock, 9))
