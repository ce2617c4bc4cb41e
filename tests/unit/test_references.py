"""Which references may be handed to Segmind: public https ones, the caller's own objects, and whole inline images."""

import base64
import io
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagegen.references.rules import MAX_DATA_URI_LENGTH, MAX_URI_LENGTH, Rules, problems_of, reference
from tests import strategies
from tests.cases import Case, load

NOBODY = Rules()
UPLOADS = Rules("uploads")
ADA = Rules("uploads", "ada")


def encoded(kind: str) -> str:
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(out, kind)
    return base64.b64encode(out.getvalue()).decode()


def data_uri(kind: str, content: str | None = None) -> str:
    return f"data:image/{kind};base64,{encoded(kind) if content is None else content}"


@pytest.mark.parametrize("case", load("reference_uris"), ids=lambda case: case["uri"][:40])
def test_a_uri(case: Case) -> None:
    """Every rule of the contract, in every spelling that a fetcher might understand."""
    found = list(problems_of(case["uri"], NOBODY))
    expected = case.get("problems", [])
    matching = [part for part in expected if any(part in problem for problem in found)]
    assert bool(matching) if case.get("any") else (matching, len(found)) == (expected, len(expected))


@pytest.mark.parametrize("more", [0, 1])
def test_the_longest_uri_and_the_longest_label(more: int) -> None:
    """2,048 characters, and 63 of a label (RFC 1035), and not one more."""
    for uri in ("https://example.com/".ljust(MAX_URI_LENGTH + more, "x"), f"https://{'a' * (63 + more)}.com/"):
        assert len(list(problems_of(uri, NOBODY))) == more


@given(strategies.uris)
def test_public_https_is_fine(uri: str) -> None:
    assert list(problems_of(uri, NOBODY)) == []


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), st.sampled_from(["", ":443", "/a.png", "?x"]))
def test_no_address_is_fine(address: ipaddress.IPv4Address | ipaddress.IPv6Address, rest: str) -> None:
    """Neither private nor public, of either version, and a v4 one in none of its other spellings."""
    spellings = [f"[{address}]"] if address.version == 6 else [str(address), str(int(address)), hex(int(address))]
    for spelling in spellings:
        assert list(problems_of(f"https://{spelling}{rest}", NOBODY))


@given(strategies.any_text, st.sampled_from([NOBODY, UPLOADS, ADA]))
def test_any_text_is_judged(uri: str, rules: Rules) -> None:
    """Problems or none, but never an exception; text that is no URI has problems."""
    found = list(problems_of(uri, rules))
    assert found or uri.lower().startswith(("https://", "gs://", "data:"))


@pytest.mark.parametrize(
    ("uri", "rules", "fine"),
    [
        ("gs://uploads/references/a.png", UPLOADS, True),
        ("gs://uploads/references/a b/ü.png", UPLOADS, True),
        ("gs://uploads/references/", UPLOADS, False),
        ("gs://uploads/jobs/a.json", UPLOADS, False),
        ("gs://other/references/a.png", UPLOADS, False),
        ("gs://uploads/references-of-others/a.png", UPLOADS, False),
        ("gs://uploads/references/\n", UPLOADS, False),
        (f"gs://uploads/references/{'x' * 1013}", UPLOADS, True),
        (f"gs://uploads/references/{'x' * 1014}", UPLOADS, False),
        ("GS://uploads/references/a.png", UPLOADS, False),
        (f"gs://uploads/{ADA.folder}a.png", ADA, True),
        (f"gs://uploads/{ADA.folder}", ADA, False),
        ("gs://uploads/references/a.png", ADA, False),
        (f"gs://uploads/{Rules('uploads', 'bob').folder}a.png", ADA, False),
    ],
)
def test_an_object_is_the_callers_own(uri: str, rules: Rules, fine: bool) -> None:
    """In the uploads bucket, under references/, and with accounts in the caller's own folder."""
    assert (not list(problems_of(uri, rules))) == fine


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_folders_tell_owners_apart(one: str, other: str) -> None:
    """No owner's folder is, or begins, another's."""
    folders = Rules("uploads", one).folder, Rules("uploads", other).folder
    assert (folders[0] == folders[1]) == (one == other)
    assert len(folders[0]) == len(folders[1])


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_an_inline_image_becomes_an_object(kind: str) -> None:
    """Named by its content, in the caller's folder: the same image is staged once."""
    uri = data_uri(kind)
    assert list(problems_of(uri, ADA)) == []
    made = reference("model", uri, ADA)
    assert made.inline == base64.b64decode(uri.partition(",")[2])
    assert made.uri
    assert made.uri.startswith(f"gs://uploads/{ADA.folder}")
    assert list(problems_of(made.uri, ADA)) == []
    assert made == reference("model", uri.replace("image", "IMAGE").replace("base64", "Base64"), ADA)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("data:", "must begin with"),
        ("data:,hello", "must begin with"),
        ("data:text/html;base64,AAAA", "must begin with"),
        ("data:image/gif;base64,AAAA", "must begin with"),
        ("data:image/svg+xml;base64,AAAA", "must begin with"),
        ("data:image/png,AAAA", "must begin with"),
        ("data:image/png;charset=utf-8;base64,AAAA", "must begin with"),
        (data_uri("png", ""), "empty"),
        (data_uri("png", "AAAA"), "not a JPEG, PNG or WebP"),
        (data_uri("png", "%%%%"), "base64"),
        (data_uri("png", encoded("png") + " "), "base64"),
        (data_uri("png", encoded("png")[:-5]), "base64"),
        (data_uri("png", encoded("png")[:-8]), "cut short"),
        (data_uri("png", encoded("jpeg")), "its bytes are image/jpeg"),
        (data_uri("webp", encoded("png")), "its bytes are image/png"),
        (data_uri("png", "A" * MAX_DATA_URI_LENGTH), "at most 5,242,880"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_inline_image_is_a_whole_image_of_its_kind(uri: str, says: str) -> None:
    """Its bytes decide, before anything is stored or spent; one problem tells which."""
    (problem,) = problems_of(uri, UPLOADS)
    assert says in problem
    assert len(problem) < 200
