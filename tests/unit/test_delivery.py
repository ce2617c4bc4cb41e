"""Reference images on their way: staged once by content, handed over as URLs that Segmind can fetch."""

from dataclasses import replace

import pytest

from imagegen.errors import SegmindUnavailable, StorageUnavailable
from imagegen.model import ImageRequest, Reference
from imagegen.ports import Deadline
from imagegen.references.delivery import MAX_REFERENCE_BYTES, Direct, FromBucket
from tests.harness.clock import FakeClock
from tests.harness.fakes import FakeSigner
from tests.harness.memory import MemoryObjects

NAME = "references/abc.png"
STAGED = Reference("model", f"gs://uploads/{NAME}")
INLINE = replace(STAGED, inline=b"the bytes")
PUBLIC = Reference("cloth", "https://example.com/cloth.png")
BARE = Reference("mood")


class FakeAssets:
    """Where the vendor keeps reference images."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.taken: list[str] = []

    def upload(self, data_uri: str, deadline: Deadline) -> str:
        del deadline
        if self.error:
            raise self.error
        self.taken.append(data_uri)
        return f"https://assets.example/{len(self.taken)}"


class Place:
    """A delivery over a bucket in memory."""

    def __init__(self, assets: FakeAssets | None = None, signing: Exception | None = None) -> None:
        self.clock = FakeClock()
        self.objects = MemoryObjects(self.clock)
        self.delivery = FromBucket(
            self.objects, "uploads", FakeSigner(self.clock, signing), assets.upload if assets else None
        )

    @property
    def soon(self) -> Deadline:
        return Deadline.within(self.clock, 10)

    def hold(self, data: bytes = b"the bytes", kind: str = "image/png", name: str = NAME) -> None:
        self.objects.create(name, data, kind, self.soon)

    def uris(self, *references: Reference) -> list[str | None]:
        request = ImageRequest("x", references)
        return [r.uri for r in self.delivery.deliver(request, self.soon).references]


def test_an_inline_image_is_staged_at_its_place() -> None:
    """The bytes are in the bucket with their type, and no longer in the request, whose address did not change."""
    place = Place()
    request = ImageRequest("x", (INLINE, PUBLIC, BARE))
    staged = place.delivery.stage(request, place.soon)
    assert (staged, staged.fingerprint) == (request, request.fingerprint)
    assert [r.inline for r in staged.references] == [None, None, None]
    assert place.objects.data(NAME) == b"the bytes"
    info = place.objects.stat(NAME, place.soon)
    assert info is not None
    assert info.content_type == "image/png"


def test_staging_that_fails_is_an_error() -> None:
    place = Place()
    place.objects.fail("create")
    with pytest.raises(StorageUnavailable):
        place.delivery.stage(ImageRequest("x", (INLINE,)), place.soon)


def test_an_object_is_handed_over_as_a_signed_url() -> None:
    """Up to 16 MiB, in the request's order; public URLs and references without a URI pass as they are."""
    place = Place()
    place.hold(b"x" * MAX_REFERENCE_BYTES)
    signed = f"https://storage.example/{NAME}?X-Goog-Signature=sentinel"
    assert place.uris(PUBLIC, STAGED, BARE) == [PUBLIC.uri, signed, None]


@pytest.mark.parametrize(
    "place",
    [Place(FakeAssets(SegmindUnavailable("away"))), Place(signing=StorageUnavailable("no key"))],
    ids=["vendor", "signer"],
)
def test_what_goes_wrong_on_the_way_was_never_billed(place: Place) -> None:
    """Neither signing nor uploading costs anything: their errors free the key."""
    place.hold()
    with pytest.raises((SegmindUnavailable, StorageUnavailable)) as caught:
        place.uris(STAGED)
    assert (caught.value.billed, caught.value.frees_key) == ("no", True)


def test_without_a_bucket_everything_passes_as_it_is() -> None:
    """Validation has let only public URLs through."""
    request, soon = ImageRequest("x", (PUBLIC, BARE)), Deadline.within(FakeClock(), 10)
    assert Direct().stage(request, soon) == Direct().deliver(request, soon) == request
