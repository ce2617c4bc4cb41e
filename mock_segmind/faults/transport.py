"""Faults of the connection itself: the generation is billed, and the answer never arrives as it should."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from mock_segmind.faults.behaviour import Behaviour
from mock_segmind.faults.entry import Entry, Option, Options, Seen, flag
from mock_segmind.transport import Response

Send: TypeAlias = Callable[[Response, Options], object]
BILLED = Option("billed", "true", "false: the request is lost before the generation starts", flag)
BYTES = Option("bytes", "none", "how many bytes of the body are sent; none is half of it", int)
SECONDS = Option("seconds", "3600", "how long, before it closes", float)
INTERVAL = Option("interval", "0.05", "seconds between two pieces", float)
WHOLE = Seen()
UNSIZED = {"content-length": None}
ENTRIES: list[Entry] = []


def entry(name: str, does: str, seen: Seen, *options: Option) -> Callable[[Send], Send]:
    """Enter a way to send an answer, after which the connection is closed."""

    def enter(send: Send) -> Send:
        def play(behaviour: Behaviour, given: Options) -> Behaviour:
            return replace(behaviour, transport=lambda response: send(response, given), silent=seen.status is None)

        ENTRIES.append(Entry(name, does, play, seen, (*options, BILLED), stops=True))
        return send

    return enter


def _framed(response: Response) -> bytes:
    return response.head(response.sized, "Connection: close")


def _cut(response: Response, given: Options) -> bytes:
    """Return the part of the body that is sent: `bytes` of it, or the half."""
    asked = given.maybe("bytes")
    return response.body[: len(response.body) // 2 if asked is None else int(asked)]


def _drip(response: Response, data: bytes, given: Options) -> None:
    step = given.whole("step")
    for start in range(0, len(data), step):
        response.send(data[start : start + step])
        response.pause(given.number("interval"))


def _chunked(response: Response, body: bytes, end: bytes) -> None:
    """Send a body in chunks of 16 KiB; without the right `end` the client must not take it for whole."""
    response.send(response.head("Transfer-Encoding: chunked", "Connection: close"))
    for start in range(0, len(body), 16_384):
        piece = body[start : start + 16_384]
        response.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    response.send(end)


@entry("truncated", "closes in mid-body: Content-Length promised more", Seen("usual", "cut", "IncompleteRead"), BYTES)
def _truncated(response: Response, given: Options) -> None:
    response.send(_framed(response) + _cut(response, given))


@entry("drip-body", "sends the body in small pieces", WHOLE, INTERVAL, Option("step", "1024", "bytes in a piece", int))
def _drip_body(response: Response, given: Options) -> None:
    response.send(_framed(response))
    _drip(response, response.body, given)


@entry(
    "drip-headers", "sends the headers in small pieces", WHOLE, INTERVAL, Option("step", "8", "bytes in a piece", int)
)
def _drip_headers(response: Response, given: Options) -> None:
    _drip(response, _framed(response), given)
    response.send(response.body)


@entry("hang", "sends nothing and keeps the connection open", Seen(None, "nothing", "TimeoutError"), SECONDS)
def _hang(response: Response, given: Options) -> None:
    response.pause(given.number("seconds"))


@entry("hang-body", "sends half the body, then nothing", Seen("usual", "cut", "TimeoutError"), SECONDS, BYTES)
def _hang_body(response: Response, given: Options) -> None:
    _truncated(response, given)
    _hang(response, given)


@entry("reset", "resets the connection (RST) before any byte", Seen(None, "nothing", "ConnectionResetError"))
def _reset(response: Response, _: Options) -> None:
    response.reset()


@entry("reset-body", "resets the connection in mid-body", Seen("usual", "cut", "ConnectionResetError"), BYTES)
def _reset_body(response: Response, given: Options) -> None:
    _truncated(response, given)
    response.pause(0.05)  # an RST overtakes bytes the client has not read yet
    response.reset()


@entry("empty", "closes the connection without a byte", Seen(None, "nothing", "RemoteDisconnected"))
def _empty(_: Response, __: Options) -> None:
    """Send nothing."""


@entry("chunked", "sends the whole body chunked: unusual, but right", Seen(headers=UNSIZED))
def _chunked_whole(response: Response, _: Options) -> None:
    _chunked(response, response.body, b"0\r\n\r\n")


@entry("chunked-cut", "sends chunks and closes without the last one", Seen("usual", "cut", "IncompleteRead"), BYTES)
def _chunked_cut(response: Response, given: Options) -> None:
    _chunked(response, _cut(response, given), b"")


@entry("close-delimited", "sends the whole body without Content-Length: right in HTTP/1.0", Seen(headers=UNSIZED))
def _close_delimited(response: Response, _: Options) -> None:
    response.send(response.head("Connection: close") + response.body)


@entry("close-delimited-cut", "the same, but closes in mid-body", Seen("usual", "cut", headers=UNSIZED), BYTES)
def _close_delimited_cut(response: Response, given: Options) -> None:
    """Only the image's own end tells a whole body from this one."""
    response.send(response.head("Connection: close") + _cut(response, given))


@entry("garbage", "sends bytes that are not HTTP", Seen(None, "nothing", "BadStatusLine"))
def _garbage(response: Response, _: Options) -> None:
    response.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc this is not HTTP\r\n\r\n")
