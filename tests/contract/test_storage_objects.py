"""What the real google-cloud-storage client writes, reads, lists and deletes, on both clouds."""

import base64
import hashlib

import google_crc32c
import pytest
import requests
from google.api_core import exceptions

from tests.contract.storage_clients import Cloud

pytest_plugins = ["tests.contract.storage_oracle"]

ODD_NAMES = ["a b.json", "ümläut/日本.jpg", "100%.txt", "a?b&c=d#e", "a+b~c*'()", "a//b", "folder/", "%2F", "🙂"]
QUARTER_MIB = 1 << 18


def md5_of(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def crc32c_of(data: bytes) -> str:
    return base64.b64encode(google_crc32c.value(data).to_bytes(4)).decode()


def test_an_object_comes_back_as_it_was_written(cloud: Cloud) -> None:
    blob = cloud.bucket.blob("jobs/1/image.jpg")
    blob.metadata = {"prompt": "a red cube", "tag": "model"}
    blob.cache_control = "private"
    blob.upload_from_string(b"the bytes", content_type="image/jpeg")
    found = cloud.bucket.get_blob("jobs/1/image.jpg")
    assert found.download_as_bytes() == b"the bytes"
    assert (found.content_type, found.cache_control, found.size) == ("image/jpeg", "private", 9)
    assert found.metadata == {"prompt": "a red cube", "tag": "model"}
    assert (found.md5_hash, found.crc32c) == (md5_of(b"the bytes"), crc32c_of(b"the bytes"))
    assert found.generation == blob.generation


@pytest.mark.parametrize("size", [0, 1, QUARTER_MIB - 1, QUARTER_MIB, QUARTER_MIB + 1, 3 * QUARTER_MIB + 7])
@pytest.mark.parametrize("way", ["multipart", "streamed"])
def test_every_way_in_keeps_every_byte(cloud: Cloud, way: str, size: int) -> None:
    """Multipart is one request; a stream of unknown size is a resumable upload in chunks, the last one partial."""
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    blob = cloud.bucket.blob("image.jpg")
    if way == "multipart":
        blob.upload_from_string(data, content_type="image/jpeg")
    else:
        with blob.open("wb", chunk_size=QUARTER_MIB, content_type="image/jpeg") as stream:
            stream.write(data)
    found = cloud.bucket.get_blob("image.jpg")
    assert found.download_as_bytes() == data
    assert (found.size, found.content_type, found.crc32c) == (size, "image/jpeg", crc32c_of(data))


@pytest.mark.parametrize("kind", ["large", "tricky"])
def test_an_upload_in_one_request_keeps_every_byte(cloud: Cloud, kind: str) -> None:
    """Above 8 MiB the client opens a resumable session and sends all at once; bytes may look like a multipart's end."""
    tricky = b"--==\r\n\r\n--===============--\r\n" * 1000
    data = hashlib.shake_128(b"seed").digest(9 << 20) if kind == "large" else tricky
    cloud.bucket.blob("one").upload_from_string(data)
    with cloud.bucket.blob("one").open("rb", chunk_size=QUARTER_MIB) as stream:
        assert md5_of(cloud.bucket.blob("one").download_as_bytes()) == md5_of(stream.read()) == md5_of(data)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_can_be_written_read_listed_and_deleted(cloud: Cloud, name: str) -> None:
    cloud.bucket.blob(name).upload_from_string(b"1")
    assert [blob.name for blob in cloud.client.list_blobs(cloud.bucket)] == [name]
    assert cloud.bucket.blob(name).download_as_bytes() == b"1"
    cloud.bucket.blob(name).delete()
    assert not cloud.bucket.blob(name).exists()


def test_overwriting_gives_a_later_generation_and_forgets_the_old_attributes(cloud: Cloud) -> None:
    first, second = cloud.bucket.blob("one"), cloud.bucket.blob("one")
    first.metadata = {"old": "yes"}
    first.upload_from_string(b"1")
    second.upload_from_string(b"22")
    found = cloud.bucket.get_blob("one")
    assert found.generation == second.generation > first.generation
    assert (found.size, found.metadata) == (2, None)


def test_a_generation_that_is_gone_is_not_found(cloud: Cloud) -> None:
    blob = cloud.bucket.blob("one")
    blob.upload_from_string(b"1")
    gone = blob.generation
    cloud.bucket.blob("one").upload_from_string(b"2")
    assert cloud.bucket.get_blob("one", generation=gone) is None
    with pytest.raises(exceptions.NotFound):
        cloud.bucket.blob("one", generation=gone).download_as_bytes()


def test_what_is_not_there_is_not_found_by_any_verb_and_a_bucket_is_made_once(cloud: Cloud) -> None:
    with pytest.raises(exceptions.Conflict):
        cloud.client.create_bucket(cloud.bucket.name)
    assert cloud.client.get_bucket(cloud.bucket.name).exists()
    missing = cloud.bucket.blob("missing")
    for call in (missing.download_as_bytes, missing.reload, missing.delete):
        with pytest.raises(exceptions.NotFound):
            call()
    assert cloud.bucket.get_blob("missing") is None
    with pytest.raises(exceptions.NotFound):
        cloud.client.get_bucket("no-such-bucket")
    with pytest.raises(exceptions.NotFound):
        cloud.client.bucket("no-such-bucket").blob("x").upload_from_string(b"1")
    with pytest.raises(exceptions.NotFound):
        list(cloud.client.list_blobs("no-such-bucket"))


def test_a_range_is_exactly_that_range(cloud: Cloud) -> None:
    blob = cloud.bucket.blob("one")
    blob.upload_from_string(b"0123456789")
    for start, end, part in ((2, 4, b"234"), (7, None, b"789"), (7, 99, b"789")):
        assert blob.download_as_bytes(start=start, end=end, checksum=None) == part
    with pytest.raises(exceptions.RequestRangeNotSatisfiable):
        blob.download_as_bytes(start=10, checksum=None)


@pytest.mark.parametrize("checksum", [{"crc32c": "AAAAAA=="}, {"md5Hash": "AAAAAAAAAAAAAAAAAAAAAA=="}])
def test_bytes_that_are_not_what_was_meant_are_refused(cloud: Cloud, checksum: dict[str, str]) -> None:
    resource = str({"name": "one", **checksum}).replace("'", '"')
    body = f"--B\r\n\r\n{resource}\r\n--B\r\ncontent-type: text/plain\r\n\r\nbytes\r\n--B--"
    answer = requests.post(
        f"{cloud.url}/upload/storage/v1/b/{cloud.bucket.name}/o?uploadType=multipart",
        data=body,
        headers={"Content-Type": 'multipart/related; boundary="B"'},
        timeout=30,
    )
    assert answer.status_code == 400
    assert not cloud.bucket.blob("one").exists()


def test_a_plain_media_upload_needs_no_resource(cloud: Cloud) -> None:
    answer = requests.post(
        f"{cloud.url}/upload/storage/v1/b/{cloud.bucket.name}/o?uploadType=media&name=a%2Fb.txt",
        data=iter([b"in ", b"chunks"]),
        headers={"Content-Type": "text/plain"},
        timeout=30,
    )
    assert answer.json()["size"] == "9"
    assert cloud.bucket.blob("a/b.txt").download_as_bytes() == b"in chunks"


def test_listing_by_prefix_and_folder(cloud: Cloud) -> None:
    for name in ("jobs/a/claim.json", "jobs/a/result.json", "jobs/b/claim.json", "jobs.txt", "spend/1"):
        cloud.bucket.blob(name).upload_from_string(b"{}")
    listed = cloud.client.list_blobs(cloud.bucket, prefix="jobs/")
    assert [blob.name for blob in listed] == ["jobs/a/claim.json", "jobs/a/result.json", "jobs/b/claim.json"]
    folders = cloud.client.list_blobs(cloud.bucket, prefix="jobs/", delimiter="/")
    assert list(folders) == []
    assert folders.prefixes == {"jobs/a/", "jobs/b/"}
    top = cloud.client.list_blobs(cloud.bucket, delimiter="/")
    assert [blob.name for blob in top] == ["jobs.txt"]
    assert top.prefixes == {"jobs/", "spend/"}


@pytest.mark.parametrize("delimiter", [None, "/"])
def test_pages_show_everything_once_and_in_order(cloud: Cloud, delimiter: str | None) -> None:
    names = sorted([f"{number:02}" for number in range(7)] + [f"f{number}/x" for number in range(5)])
    for name in names:
        cloud.bucket.blob(name).upload_from_string(b"{}")
    pages = cloud.client.list_blobs(cloud.bucket, page_size=3, delimiter=delimiter)
    shown = [blob.name for page in pages.pages for blob in page] + sorted(pages.prefixes)
    folders = [f"f{number}/" for number in range(5)]
    assert shown == (names if delimiter is None else names[:7] + folders)


def test_a_folder_that_spans_pages_is_shown_once(cloud: Cloud) -> None:
    for name in ("a/1", "a/2", "a/3", "b", "c/1", "c/2"):
        cloud.bucket.blob(name).upload_from_string(b"{}")
    pages = list(cloud.client.list_blobs(cloud.bucket, page_size=1, delimiter="/").pages)
    shown = [([blob.name for blob in page], list(page.prefixes)) for page in pages]
    assert shown == [([], ["a/"]), (["b"], []), ([], ["c/"])]
