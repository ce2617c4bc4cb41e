"""Faults of `POST /upload-asset`. Uploads are free."""

from mock_segmind.calls import Operation
from mock_segmind.faults.entry import Entry, Seen, edits
from mock_segmind.replies import Json, Reply, json_reply

UPLOAD: tuple[Operation, ...] = ("upload",)


def _renamed(reply: Reply) -> Reply:
    body = reply.fields
    return json_reply(reply.status, {"urls": body.pop("file_urls", None), **body}) if reply.status == 200 else reply


def _one_less(reply: Reply) -> Reply:
    body = reply.fields
    urls: Json = body.get("file_urls")
    return json_reply(200, {**body, "file_urls": urls[:-1]}) if isinstance(urls, list) else reply


ENTRIES = (
    Entry(
        "upload-urls",
        "upload-asset answers `urls` instead of `file_urls`",
        edits(lambda _: _renamed),
        Seen(200, "urls instead of file_urls"),
        on=UPLOAD,
        billed=False,
    ),
    Entry(
        "upload-fewer",
        "upload-asset answers one URL too few",
        edits(lambda _: _one_less),
        Seen(200, "one URL too few"),
        on=UPLOAD,
        billed=False,
    ),
)
