"""Faults that change what a 200 is: every form that was seen, and broken ones. All are billed."""

import base64
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from mock_segmind.calls import Operation
from mock_segmind.faults.behaviour import GONE, Asset, Behaviour, Host, Hosted, Hosting, V1Answer, raw
from mock_segmind.faults.entry import Entry, Option, Options, Seen, flag
from mock_segmind.images import CONTENT_TYPES, Picture
from mock_segmind.replies import JsonObject, Reply, json_reply, typed

DATA_URI = Option("data_uri", "false", "with `data:image/…;base64,` in front", flag)
FORMAT = Option("format", "jpeg", "the image's format", choices=tuple(CONTENT_TYPES))
TEXT_FIELD = Option("field", "image", "where the text stands", choices=("image", "output", "images"))
URL_FIELD = Option("field", "output", "where the URL stands", choices=("output", "image", "images"))
MIB = Option("mib", "32", "its size in MiB; one byte is added", int)
V1: tuple[Operation, ...] = ("v1",)
V1_AND_RESULT: tuple[Operation, ...] = ("v1", "v2-result")
PRIVATE = "http://169.254.169.254/computeMetadata/v1/instance/"
ELSEWHERE = "https://images.segmind.invalid/outputs/image.jpg"
JPEG = Seen(200, "jpeg image")
MOVED = Seen(302, "nothing", headers={"location": PRIVATE})
PAGE = b"<!doctype html><html><title>Just a moment...</title><body>Checking your browser</body></html>"
HTML = typed("text/html; charset=utf-8", PAGE)
ERROR = json_reply(200, {"error": "Something went wrong"})
NULL = json_reply(200, {"status": "Success", "output": None})
CUT_JSON = typed("application/json", b'{"image": "iVBORw0')
NO_BASE64 = json_reply(200, {"image": "!!!not base64!!!"})
NOISE = typed("image/jpeg", b"\x00\x01\x02" * 4096)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720"><script>alert(1)</script></svg>'
HALF = "half an image with the right Content-Length for the half"
OTHER = "a good image of another size than asked"


def _answer(name: str, does: str, body: str, answer: Callable[[Options], V1Answer], *options: Option) -> Entry:
    """Return a 200 of v1; `body` is what a client sees."""
    return Entry(name, does, lambda now, given: replace(now, v1_answer=answer(given)), Seen(200, body), options, V1)


def _raw(kind: str, does: str) -> Entry:
    entry = _answer(kind, does, f"{kind} image", lambda _: raw(kind))
    return replace(entry, seen=replace(entry.seen, headers={"content-type": CONTENT_TYPES[kind]}))


def _fixed(name: str, does: str, body: str, reply: Callable[[Picture], Reply]) -> Entry:
    """Return a 200 of v1 that depends on nothing but the picture."""
    return _answer(name, does, body, lambda _: lambda picture, __: reply(picture))


def _always(reply: Reply) -> Callable[[Picture], Reply]:
    return lambda _: reply


def _half(reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


@lru_cache(maxsize=2)
def _padded(picture: Picture, mib: int) -> Reply:
    """Return a whole jpeg followed by zeros, `mib` MiB and one byte in all."""
    return typed("image/jpeg", picture.encoded().ljust(mib * 1024 * 1024 + 1, b"\0"))


def _padded_by(given: Options) -> V1Answer:
    return lambda picture, _: _padded(picture, given.whole("mib"))


def _other_size(picture: Picture) -> Picture:
    return replace(picture, ratio="832:1104" if picture.ratio != "832:1104" else "960:960")


def _jpeg(picture: Picture) -> Reply:
    return typed("image/jpeg", picture.encoded())


def _base64(given: Options) -> V1Answer:
    kind = given["format"]

    def answer(picture: Picture, _: object) -> Reply:
        text = base64.b64encode(picture.encoded(kind)).decode()
        value = f"data:{CONTENT_TYPES[kind]};base64,{text}" if given.flag("data_uri") else text
        return json_reply(200, {**_in_field(given["field"], value), "status": "Success"})

    return answer


def _in_field(name: str, value: str) -> JsonObject:
    return {name: [{"url": value, "content_type": "image/jpeg"}] if name == "images" else value}


def _hosted(name: str, does: str, then: Seen, hosting: Callable[[Options], Hosting], *options: Option) -> Entry:
    """Return a fault that answers with JSON naming a hosted URL, on v1; on v2 it changes only that URL."""

    def play(behaviour: Behaviour, given: Options) -> Behaviour:
        host = hosting(given)
        answer: V1Answer = lambda _, publish: json_reply(200, _in_field(given["field"], publish(host)))  # noqa: E731  it closes over `host`
        return replace(behaviour, v1_answer=answer, hosting=host)

    return Entry(name, does, play, Seen(200, "url", then=then), (*options, URL_FIELD), V1_AND_RESULT)


def _at_url(name: str, does: str, then: Seen, answer: Hosted) -> Entry:
    return _hosted(name, f"a hosted URL that {does}", then, lambda _: Hosting(answer=answer))


def _at_host(name: str, does: str, url: str) -> Entry:
    option = Option("url", url, "that URL")
    return _hosted(name, does, Seen(None, url), lambda given: Hosting(url=given["url"]), option)


def _redirect(asset: Asset, host: Host) -> Reply:
    return Reply(302, b"", {"Location": host(replace(asset, hosting=Hosting(asset.hosting.kind)))})


def _huge(asset: Asset, _: Host) -> Reply:
    return _padded(asset.picture or Picture("an upload"), 32)


TO_PRIVATE = Reply(302, b"", {"Location": PRIVATE})
ENTRIES = (
    _raw("jpeg", "raw jpeg bytes: the usual answer, to lift another fault"),
    _raw("png", "raw png bytes"),
    _raw("webp", "raw webp bytes"),
    _answer("base64", 'JSON `{"image": BASE64, "status": …}`', "base64", _base64, DATA_URI, FORMAT, TEXT_FIELD),
    _hosted("hosted", "JSON with the URL of a hosted image", JPEG, lambda given: Hosting(given["format"]), FORMAT),
    _at_url("hosted-missing", "answers 404", Seen(404, "xml"), lambda *_: GONE),
    _at_url("hosted-redirect", "redirects to the image on the same host", Seen(302, "redirect"), _redirect),
    _at_url("hosted-redirect-private", "redirects to a private address", MOVED, lambda *_: TO_PRIVATE),
    _at_url("hosted-html", "answers an HTML page with 200", Seen(200, "html"), lambda *_: HTML),
    _at_url("hosted-truncated", "answers half an image", Seen(200, "half image"), lambda asset, _: _half(asset.reply)),
    _at_url("hosted-huge", "answers more than 32 MiB", Seen(200, "huge image"), _huge),
    _at_host("hosted-elsewhere", "a URL on another host", ELSEWHERE),
    _at_host("hosted-private", "a URL with a private address", PRIVATE),
    _fixed("ok-html", "a 200 that is an HTML page", "html", _always(HTML)),
    _fixed("ok-empty", "a 200 with no body", "nothing", _always(typed("image/jpeg", b""))),
    _fixed("ok-error", "a 200 that is a JSON error", "error", _always(ERROR)),
    _fixed("ok-null", "a 200 of JSON without an image", "null", _always(NULL)),
    _fixed("ok-array", "a 200 of JSON that is no object", "array", _always(json_reply(200, [1, 2, 3]))),
    _fixed("ok-broken-json", "a 200 of JSON that ends early", "broken JSON", _always(CUT_JSON)),
    _fixed("ok-broken-base64", "a 200 of JSON whose base64 is none", "not base64", _always(NO_BASE64)),
    _fixed("ok-truncated", HALF, "half image", lambda picture: _half(_jpeg(picture))),
    _fixed("ok-not-image", "a 200 that says image/jpeg and is none", "no image", _always(NOISE)),
    _fixed("ok-svg", "a 200 that is an SVG with a script", "svg", _always(typed("image/svg+xml", SVG))),
    _fixed("ok-other-size", OTHER, "image of another size", lambda picture: _jpeg(_other_size(picture))),
    _answer("ok-huge", "an image larger than 32 MiB", "huge image", _padded_by, MIB),
)
