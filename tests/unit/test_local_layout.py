"""Where a run is, told by options, by the environment, or by neither."""

import argparse
from pathlib import Path

import pytest

from local.layout import ROOT, Layout, Part, add_options, layout_of


def parsed(*words: str) -> Layout:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return layout_of(parser.parse_args(words))


def test_by_default_it_is_the_readmes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's lines say nothing of a port."""
    monkeypatch.delenv("LOCAL_PORT", raising=False)
    monkeypatch.delenv("LOCAL_STATE", raising=False)
    layout = parsed()
    assert (layout, layout.prefix()) == (Layout(8080, ROOT / ".local"), "")
    assert layout.url(Part.FUNCTION) == "http://127.0.0.1:8080"


def test_the_environment_names_another_and_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_PORT", "9000")
    monkeypatch.setenv("LOCAL_STATE", "/tmp/a b")
    assert parsed() == Layout(9000, Path("/tmp/a b"))
    assert parsed().prefix() == "LOCAL_PORT=9000 LOCAL_STATE='/tmp/a b' "
    assert parsed("--port", "7000").port == 7000


def test_every_part_has_a_port_of_its_own() -> None:
    assert {Layout(8080, Path("x")).port_of(part) for part in Part} == {8080, 8081, 8082, 8083, 8084}
