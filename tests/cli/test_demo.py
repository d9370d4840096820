"""`manysense demo`: the sample files are found in words and with a sound, and the answers are drawn."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from manysense.cli import demo
from manysense.cli.app import app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """(facts, sheet) of one run."""
    out = tmp_path_factory.mktemp("demo") / "sheet.png"
    done = CliRunner().invoke(app, ["demo", "--json", "--out", str(out)], env={"MANYSENSE_MODEL": ""})
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), Image.open(out)


def test_every_question_is_answered_by_files_of_its_kind(shown):
    answers, _ = shown
    assert [answer["query"] for answer in answers] == [question.ask for question in demo.QUESTIONS]
    for answer, question in zip(answers, demo.QUESTIONS):
        assert len(answer["hits"]) == demo.SHOWN
        assert all(demo.suffix_kind(hit["file"]) == question.kind for hit in answer["hits"])
        scores = [hit["score"] for hit in answer["hits"]]
        assert scores == sorted(scores, reverse=True)


def test_the_right_file_comes_first(shown):
    answers, _ = shown
    first = {answer["query"]: answer["hits"][0]["file"] for answer in answers}
    assert first == {question.ask: question.finds for question in demo.QUESTIONS}


def test_all_four_kinds_of_questions_are_asked():
    kinds = {(question.is_file, question.kind) for question in demo.QUESTIONS}
    assert {(False, "image"), (False, "audio"), (False, "video"), (True, "image")} <= kinds


def test_the_sheet_has_a_line_for_every_question(shown):
    _, sheet = shown
    assert sheet.height > 180 * len(demo.QUESTIONS)
    assert len(sheet.convert("RGB").getcolors(2**24)) > 1000


def test_the_answers_are_a_table_for_people(tmp_path):
    done = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "sheet.png")], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert all(question.finds in done.stdout for question in demo.QUESTIONS)
