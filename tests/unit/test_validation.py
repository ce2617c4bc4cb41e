"""A body becomes a request, or every problem of it at once, each with the place where it stands."""

import json

import pytest

from imagegen.errors import InvalidRequest
from imagegen.model import ImageRequest, Reference
from imagegen.references.validation import MAX_PROBLEMS, parse
from tests.cases import Case, load, named
from tests.strategies import as_json


def problems_of(body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequest) as caught:
        parse(body)
    return [(problem.pointer, problem.detail) for problem in caught.value.problems]


def request(prompt: str) -> bytes:
    return as_json({"promptText": prompt, "referenceImages": []})


@pytest.mark.parametrize("case", load("invalid_requests"), ids=named)
def test_what_is_wrong_is_told_with_its_place(case: Case) -> None:
    """All problems of a body, and no others, each with a JSON pointer."""
    found = problems_of(case["body"].encode())
    assert sorted(pointer for pointer, _ in found) == case["pointers"]
    assert case["says"] in " | ".join(detail for _, detail in found)


def test_a_whole_request() -> None:
    """The vendor page's own sample, with its two references."""
    body = {
        "promptText": "@model wears @cloth",
        "referenceImages": [
            {"uri": "https://example.com/model.jpg", "tag": "model"},
            {"uri": "https://example.com/cloth.jpg", "tag": "cloth"},
        ],
        "ratio": "1920:1080",
    }
    references = tuple(Reference(r["tag"], r["uri"]) for r in body["referenceImages"])  # type: ignore[index]  # a literal
    assert parse(as_json(body)) == ImageRequest("@model wears @cloth", references, "1920:1080")


@pytest.mark.parametrize(
    ("unit", "most"),
    [*((unit, 999) for unit in ("x", "é", "鏡", "\u200b", "\x00")), ("🪞", 499), ("👩‍👩‍👧", 124), ("🇪🇺", 249)],
)
def test_a_thousand_utf_16_units_fit(unit: str, most: int) -> None:
    """And not one more, however long they are in UTF-8; as Runway counts, a character beyond the basic plane is two."""
    prompt = "p" + unit * most
    assert parse(request(prompt)).prompt == prompt
    fits = prompt + "x" * (1_000 - len(prompt.encode("utf-16-le")) // 2)
    assert parse(request(fits)).prompt == fits
    ((pointer, detail),) = problems_of(request(f"{fits}x"))
    assert (pointer, "UTF-16" in detail) == ("/promptText", True)


@pytest.mark.parametrize("prompt", ["  a\u0301 café\n\t\u0000 \u202e ", "🪞"])
def test_a_prompt_is_passed_on_as_it_is(prompt: str) -> None:
    """Neither trimmed nor normalised, also where JSON escapes it, in surrogate pairs; the ratio has a default."""
    assert parse(json.dumps({"promptText": prompt, "referenceImages": []}).encode()) == ImageRequest(
        prompt, (), "1280:720"
    )


@pytest.mark.parametrize(("depth", "refused"), [(10, False), (40, True)])
def test_deep_nesting_is_a_problem_of_its_own(depth: int, refused: bool) -> None:
    """An unknown field is wrong at any depth; one that is far too deep is told so."""
    value: object = 1
    for _ in range(depth):
        value = [value]
    found = problems_of(as_json({"promptText": "a", "referenceImages": [], "x": value}))
    assert ("/x", "is not a known field") in found
    assert any("nested too deeply" in detail for _, detail in found) == refused


def test_lone_surrogates_are_found_in_names_and_values() -> None:
    """JSON can carry them, Unicode text cannot: refused wherever they stand, and shown without them."""
    body = b'{"promptText": "\\ud800", "referenceImages": [{"tag": "\\udfff"}], "\\ud83d": 1}'
    found = problems_of(body)
    pointers = {pointer for pointer, _ in found}
    assert {"/promptText", "/referenceImages/0/tag"} <= pointers
    json.dumps(found).encode("ascii")
    assert all(text.isprintable() for pair in found for text in pair)
    assert any("surrogate in a name" in detail for _, detail in found)


def test_there_is_an_end_to_problems() -> None:
    """A hundred are listed, and how many more there are; a name of a megabyte is shown cut."""
    assert problems_of(as_json({"promptText": "a", "referenceImages": [], "x" * 100_000: 1})) == [
        (f"/{'x' * 64}", "is not a known field")
    ]
    body = {"promptText": "a", "referenceImages": [], **{f"field{i}": 1 for i in range(5_000)}}
    found = problems_of(as_json(body))
    assert (len(found), found[-1]) == (MAX_PROBLEMS + 1, ("", "and 4,900 more problems"))


def test_the_detail_of_the_error_is_a_summary() -> None:
    """A client that shows only `detail` shows the first problems with their places."""
    with pytest.raises(InvalidRequest, match=r"/promptText: is required; /referenceImages: is required"):
        parse(b"{}")
    with pytest.raises(InvalidRequest, match="body: must be a JSON object"):
        parse(b"[]")
