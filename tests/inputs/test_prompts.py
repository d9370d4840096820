"""Which prompt a call uses."""

from __future__ import annotations

import pytest

from manysense.errors import UsageError
from manysense.inputs.prompts import DOCUMENT_NAMES, first_named, resolve_prompt

PROMPTS = {"query": "q: ", "document": "", "passage": "p: "}


def test_a_prompt_wins_over_a_name():
    assert resolve_prompt("own: ", "query", PROMPTS, "passage") == "own: "


def test_a_name_wins_over_the_default():
    assert resolve_prompt(None, "query", PROMPTS, "passage") == "q: "


def test_the_default_is_used_when_the_call_says_nothing():
    assert resolve_prompt(None, None, PROMPTS, "passage") == "p: "


def test_an_empty_prompt_switches_the_default_off():
    assert resolve_prompt("", None, PROMPTS, "passage") is None


def test_an_unknown_name_is_an_error_that_lists_the_known_ones():
    with pytest.raises(UsageError, match=r"'qury'.*passage.*query"):
        resolve_prompt(None, "qury", PROMPTS, None)


def test_of_several_names_the_first_with_a_text_is_taken():
    assert first_named(DOCUMENT_NAMES, PROMPTS) == "passage"


def test_without_any_text_the_first_known_name_is_taken():
    assert first_named(DOCUMENT_NAMES, {"document": "", "corpus": ""}) == "document"
    assert first_named(DOCUMENT_NAMES, {}) is None
