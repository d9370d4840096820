"""`manysense compare`: a table for a person, the same facts for machines."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from manysense.cli.app import app


@pytest.fixture
def compare():
    def call(*arguments, columns=100):
        return CliRunner().invoke(app, ["compare", *map(str, arguments)], env={"COLUMNS": str(columns)})

    return call


def test_scores_are_those_of_the_model(compare, twin, model, samples):
    picture = str(samples / "red_circle.png")
    done = compare(picture, "a red circle", "x", "--model", twin("clip"), "--json")
    facts = json.loads(done.stdout)
    assert [one["kind"] for one in facts["inputs"]] == ["text", "text", "image"]
    network = model("clip")
    vectors = network.encode(["a red circle", "x", picture])
    np.testing.assert_allclose(facts["scores"], network.similarity(vectors, vectors), atol=1e-5)


def test_ranks_count_the_columns_of_one_kind(compare, twin, samples):
    pictures = [samples / f"{name}.png" for name in ("red_circle", "blue_square", "slide")]
    facts = json.loads(compare("a red circle", *pictures, "--model", twin("clip"), "--json").stdout)
    scores, ranks = facts["scores"], facts["ranks"]
    row = [rank["rank"] for rank in ranks[0][1:]]
    assert all(rank["of"] == 3 for rank in ranks[0][1:])
    assert sorted(range(3), key=row.__getitem__) == sorted(range(3), key=lambda c: -scores[0][1 + c])
    assert [ranks[i][i] for i in range(4)] == [None] * 4
    assert ranks[1][0] is None  # the only text
    assert [rank["of"] for rank in ranks[1][2:]] == [2, 2]


def test_two_inputs_are_a_single_line(compare, twin, model, samples):
    picture = samples / "red_circle.png"
    done = compare("a red circle", picture, "--model", twin("clip"))
    (line,) = done.stdout.splitlines()
    vectors = model("clip").encode(["a red circle", str(picture)])
    score = float(model("clip").similarity(vectors[0], vectors[1])[0, 0])
    assert line.startswith(f"{score:.2f}  a red circle (text) · red_circle.png (picture)")


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_the_table_fits_the_terminal(compare, twin, samples, columns):
    given = ["a red circle", "a long sentence about blue squares that goes on and on", "红色的圆圈 [bold]"]
    given += [samples / f"{name}.png" for name in ("red_circle", "blue_square", "slide", "bar_chart")]
    done = compare(*given, "--model", twin("clip"), columns=columns)
    assert done.exit_code == 0, done.stderr
    from rich.cells import cell_len

    lines = done.stdout.splitlines()
    assert max(map(cell_len, lines)) <= columns
    for name in ("red_circle.png", "红色的圆"):
        assert any(name in line for line in lines)
    values = json.loads(compare(*given, "--model", twin("clip"), "--json").stdout)["scores"]
    assert all(f"{value:.2f}" in done.stdout for value in np.triu(values, 1)[np.triu_indices(7, 1)])
    assert "of 4 pictures in its row" in done.stdout
    assert "values compare within a column kind, see docs/scores.md" in lines[-1]


def test_files_of_one_name_are_told_apart(compare, twin, samples, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.png").write_bytes((samples / "icon.gif").read_bytes())
    done = compare("x", tmp_path / "one" / "p.png", tmp_path / "two" / "p.png", "--model", twin("clip"))
    assert "one/p.png" in done.stdout
    assert "two/p.png" in done.stdout


def test_an_option_settles_what_an_input_is(compare, twin, samples):
    assert compare("x", "https://example.org/picture", "--model", twin("clip")).exit_code == 4
    done = compare("x", "--text", "https://example.org/picture", "--model", twin("clip"), "--json")
    assert [one["kind"] for one in json.loads(done.stdout)["inputs"]] == ["text", "text"]
    done = compare("x", "--image", samples / "icon.gif", "--model", twin("clip"), "--json")
    assert json.loads(done.stdout)["inputs"][1]["kind"] == "image"


def test_a_file_that_is_read_as_words_is_said(compare, twin, samples):
    done = compare(samples / "icon.gif", "x", "--model", twin("bert"))
    assert done.exit_code == 0
    assert "compared as these words" in done.stderr


def test_sounds_and_clips_have_their_names(compare, twin, samples):
    sounds = compare("x", samples / "chime.wav", samples / "weather.wav", "--model", twin("clap"))
    assert "sound" in sounds.stdout
    clips = compare("x", samples / "bouncing_ball.mp4", "--model", twin("qwen3_vl"))
    assert "(clip)" in clips.stdout, clips.stderr


def test_failures_have_their_exit_codes(compare, twin, tmp_path):
    assert compare("x", "--model", twin("bert")).exit_code == 2
    assert compare("x", "y", "--model", tmp_path).exit_code == 3
    gone = compare("x", "gone.png", "--model", twin("clip"))
    assert gone.exit_code == 4
    assert "gone.png" in gone.stderr
    other = compare("x", "gone.wav", "--model", twin("clip"))
    assert other.exit_code == 4
    assert "--text" in other.stderr
