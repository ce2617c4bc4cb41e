"""Answers that say nothing, break on the way or come too late: what was paid for is never told to be free."""

import socket

import pytest

from imagegen import errors
from imagegen.model import ImageRequest
from imagegen.ports import Deadline, StillGenerating
from imagegen.segmind.assets import SegmindAssets
from imagegen.segmind.client import SegmindClient
from imagegen.segmind.v1 import SegmindV1
from tests.contract.test_segmind_hardening import DONE, WORKING, Reply, Vendor, polite, said
from tests.harness.clock import FakeClock
from tests.harness.stubs import Stub, answer


class Scripted(Vendor):
    """A v2 whose answers to the submit and for the finished record are given, too."""

    def __init__(self, *looks: Reply, submit: Reply | None = None, record: Reply | None = None) -> None:
        super().__init__(*looks)
        self.submit, self.record = submit, record

    def _reply(self, path: str, *, post: bool) -> Reply:
        special = self.submit if post else None if path == "/image" or path.endswith("/status") else self.record
        return special or super()._reply(path, post=post)


@pytest.mark.parametrize("look", [("200", b"<html>"), said([1]), said(None), ("200", b"[" * 100_000)])
def test_a_look_that_says_nothing(look: Reply) -> None:
    """It is looked again: what was paid for is not given up."""
    assert Scripted(look, WORKING, DONE).generate(FakeClock()) == 61


@pytest.mark.parametrize("submit", [("200", b"<html>"), said({}), said([]), said({"request_id": "\n"}), ("200", b"")])
def test_a_submit_without_an_id(submit: Reply) -> None:
    """It was taken, so it may be billed, and it cannot be asked about."""
    with pytest.raises(errors.OutcomeUnknown, match="no request id"):
        Scripted(submit=submit).generate(FakeClock())


@pytest.mark.parametrize(
    ("said_of_it", "kind"),
    [("the model broke", errors.SegmindFailed), ("SAFETY.INPUT.TEXT", errors.RejectedBySegmind)],
)
def test_a_record_that_says_failed(said_of_it: str, kind: type[errors.SegmindError]) -> None:
    """Its words tell the request's fault from Segmind's own."""
    failed = said({"status": "FAILED", "error": said_of_it})
    with pytest.raises(kind):
        Scripted(said({"status": "FAILED"}), record=failed).generate(FakeClock())


def test_a_record_that_goes_on_after_all() -> None:
    """The status said that it ended, the record that it has not: it is looked again."""
    with pytest.raises(StillGenerating):
        Scripted(DONE, record=said({"status": "PROCESSING"})).generate(FakeClock())


@pytest.mark.parametrize("silent", [False, True])
def test_an_upload_that_may_have_arrived_is_free(silent: bool) -> None:
    """Uploads cost nothing, so an outcome that is not known is told as one that was not billed; a URL is handed on."""
    clock = FakeClock()
    body = b"" if silent else b'{"file_urls": ["https://hosted.example/1"]}'

    def hang_up_or_answer(connection: socket.socket, request: bytes) -> None:
        if not silent:
            polite("HTTP/1.1 200 OK", body)(connection, request)

    with Stub(hang_up_or_answer) as stub:
        assets = SegmindAssets(SegmindClient("SG_secret", stub.url, clock, 2), f"{stub.url}/up")
        if not silent:
            assert assets.upload("data:x", Deadline.within(clock, 9)) == "https://hosted.example/1"
            return
        with pytest.raises(errors.SegmindUnreachable, match="could not be handed") as caught:
            assets.upload("data:x", Deadline.within(clock, 9))
    assert (caught.value.billed, caught.value.frees_key) == ("no", True)


def test_without_time_nothing_is_called() -> None:
    """It says that nothing was sent."""
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
