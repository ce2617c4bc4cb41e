"""Faults of the connection itself: the generation is billed, and the answer never arrives as it should."""

from collections.abc import Callable
from dataclasses import replace

from mock_segmind.plan import Option, Options, Plan, Spec
from mock_segmind.wire import Transport, Wire, dropped

BILLED = Option("billed", "true", "false: the request is lost before the generation starts", "flag")
FOR_EVER = "3600"


def _framed(wire: Wire) -> bytes:
    return wire.head(f"Content-Length: {wire.length}", "Connection: close")


def _cut(wire: Wire, options: Options) -> bytes:
    """Return the part of the body that is sent: `bytes` of it, or the half."""
    asked = options.maybe("bytes")
    return wire.body[: len(wire.body) // 2 if asked is None else int(asked)]


def _truncated(options: Options) -> Transport:
    def send(wire: Wire) -> bool:
        wire.send(_framed(wire) + _cut(wire, options))
        return False

    return send


def _drip(wire: Wire, data: bytes, options: Options) -> None:
    step = options.whole("step")
    for start in range(0, len(data), step):
        wire.send(data[start : start + step])
        wire.pause(options.number("interval"))


def _drip_body(options: Options) -> Transport:
    def send(wire: Wire) -> bool:
        wire.send(_framed(wire))
        _drip(wire, wire.body, options)
        return False

    return send


def _drip_headers(options: Options) -> Transport:
    def send(wire: Wire) -> bool:
        _drip(wire, _framed(wire), options)
        wire.send(wire.body)
        return False

    return send


def _hang(options: Options) -> Transport:
    def send(wire: Wire) -> bool:
        wire.pause(options.number("seconds"))
        return False

    return send


def _hang_body(options: Options) -> Transport:
    def send(wire: Wire) -> bool:
        wire.send(_framed(wire) + _cut(wire, options))
        wire.pause(options.number("seconds"))
        return False

    return send


def _reset(_: Options) -> Transport:
    def send(wire: Wire) -> bool:
        wire.reset()
        return False

    return send


def _reset_body(options: Options) -> Transport:
    def send(wire: Wire) -> bool:
        wire.send(_framed(wire) + _cut(wire, options))
        wire.pause(0.05)  # an RST overtakes bytes the client has not read yet
        wire.reset()
        return False

    return send


def _chunked(wire: Wire, body: bytes, end: bytes) -> bool:
    """Send a body in chunks of 16 KiB; without the right `end` the client must not take it for whole."""
    wire.send(wire.head("Transfer-Encoding: chunked", "Connection: close"))
    for start in range(0, len(body), 16_384):
        piece = body[start : start + 16_384]
        wire.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    wire.send(end)
    return False


def _chunked_whole(_: Options) -> Transport:
    return lambda wire: _chunked(wire, wire.body, b"0\r\n\r\n")


def _chunked_cut(options: Options) -> Transport:
    return lambda wire: _chunked(wire, _cut(wire, options), b"")


def _close_delimited(wire: Wire, body: bytes) -> bool:
    """Send neither Content-Length nor chunks: only the image's own end tells a whole body from a cut one."""
    wire.send(wire.head("Connection: close") + body)
    return False


def _delimited_whole(_: Options) -> Transport:
    return lambda wire: _close_delimited(wire, wire.body)


def _delimited_cut(options: Options) -> Transport:
    return lambda wire: _close_delimited(wire, _cut(wire, options))


def _garbage(_: Options) -> Transport:
    def send(wire: Wire) -> bool:
        wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc this is not HTTP\r\n\r\n")
        return False

    return send


def _spec(name: str, does: str, make: Callable[[Options], Transport], *options: Option, silent: bool = False) -> Spec:
    def apply(plan: Plan, given: Options) -> Plan:
        generates = plan.generates and given.flag("billed")
        return replace(plan, transport=make(given), silent=silent, generates=generates)

    return Spec(name, "transport", does, apply, (*options, BILLED), billed="yes")


BYTES = Option("bytes", "none", "how many bytes of the body are sent; none is half of it", "whole")
SECONDS = Option("seconds", FOR_EVER, "how long, before it closes", "number")
INTERVAL = Option("interval", "0.05", "seconds between two pieces", "number")

SPECS: tuple[Spec, ...] = (
    _spec("truncated", "closes in mid-body: Content-Length promised more", _truncated, BYTES),
    _spec(
        "drip-body",
        "sends the body in small pieces",
        _drip_body,
        INTERVAL,
        Option("step", "1024", "bytes in a piece", "whole"),
    ),
    _spec(
        "drip-headers",
        "sends the headers in small pieces",
        _drip_headers,
        INTERVAL,
        Option("step", "8", "bytes in a piece", "whole"),
    ),
    _spec("hang", "sends nothing and keeps the connection open", _hang, SECONDS, silent=True),
    _spec("hang-body", "sends half the body, then nothing", _hang_body, SECONDS, BYTES),
    _spec("reset", "resets the connection (RST) before any byte", _reset, silent=True),
    _spec("reset-body", "resets the connection in mid-body", _reset_body, BYTES),
    _spec("empty", "closes the connection without a byte", lambda _: dropped, silent=True),
    _spec("chunked", "sends the whole body chunked: unusual, but right", _chunked_whole),
    _spec("chunked-cut", "sends chunks and closes without the last one", _chunked_cut, BYTES),
    _spec("close-delimited", "sends the whole body without Content-Length: right in HTTP/1.0", _delimited_whole),
    _spec("close-delimited-cut", "the same, but closes in mid-body", _delimited_cut, BYTES),
    _spec("garbage", "sends bytes that are not HTTP", _garbage, silent=True),
)
