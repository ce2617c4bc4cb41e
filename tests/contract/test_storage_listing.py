"""What the real client is shown when it lists, page by page and folder by folder, on both clouds."""

import pytest

from tests.contract.storage_clients import Cloud

pytest_plugins = ["tests.contract.storage_oracle"]


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
    assert [([blob.name for blob in page], list(page.prefixes)) for page in pages] == [
        ([], ["a/"]),
        (["b"], []),
        ([], ["c/"]),
    ]
