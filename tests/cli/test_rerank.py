"""`manysense rerank`: files and lines in the order of a reranker, as a table and as facts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from manysense import CrossEncoder
from manysense.cli.app import app
from manysense.cli.rerank import _score

QUERY = "music on a piano"


@pytest.fixture(scope="module")
def folder(twin) -> Path:
    return twin("labeller")


@pytest.fixture(scope="module")
def seeing(twin) -> Path:
    return twin("vl_reranker")


@pytest.fixture(scope="module")
def judge(folder) -> CrossEncoder:
    return CrossEncoder(folder, device="cpu")


@pytest.fixture
def rerank(monkeypatch):
    """rerank(*arguments) → the result of the command."""
    monkeypatch.delenv("MANYSENSE_RERANKER", raising=False)

    def call(*arguments, columns=100, **kwargs):
        return CliRunner().invoke(app, ["rerank", *map(str, arguments)], env={"COLUMNS": str(columns)}, **kwargs)

    return call


@pytest.fixture
def texts(tmp_path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in (("a.txt", "a small dog"), ("b.txt", "the piano"), ("c.txt", "music in the night")):
        (folder / name).write_text(text)
    return folder


def facts(done):
    return json.loads(done.stdout)


# ---- what is ranked


def test_lines_are_ranked_as_the_model_ranks_them(rerank, folder, judge, samples):
    file = samples / "sentences.txt"
    done = rerank(QUERY, file, "--lines", "--model", folder, "--top", 4, "--json")
    assert done.exit_code == 0, done.stderr
    sentences = file.read_text(encoding="utf-8").splitlines()
    wanted = judge.rank(QUERY, sentences, top_k=4)
    told = facts(done)
    assert [hit["id"] for hit in told["hits"]] == [f"{file.as_posix()}:{hit['corpus_id'] + 1}" for hit in wanted]
    assert [hit["score"] for hit in told["hits"]] == pytest.approx([hit["score"] for hit in wanted], abs=1e-6)
    assert [hit["text"] for hit in told["hits"]] == [sentences[hit["corpus_id"]] for hit in wanted]
    assert [hit["rank"] for hit in told["hits"]] == [1, 2, 3, 4]
    assert (told["documents"], told["model"], told["scores"]) == (24, folder.name, "probability")
    assert told["query"] == {"input": QUERY, "kind": "text"}
    assert told["stats"]["pairs"] == 24


def test_a_text_file_is_one_document(rerank, folder, judge, texts):
    told = facts(rerank(QUERY, texts, "--model", folder, "--json"))
    wanted = judge.rank(QUERY, ["a small dog", "the piano", "music in the night"])
    assert [Path(hit["id"]).name for hit in told["hits"]] == ["abc"[hit["corpus_id"]] + ".txt" for hit in wanted]


def test_stdin_gives_a_document_a_line(rerank, folder, judge):
    told = facts(rerank(QUERY, "-", "--model", folder, "--json", input="a dog\n\nthe piano\n"))
    wanted = judge.rank(QUERY, ["a dog", "the piano"])
    assert [hit["id"] for hit in told["hits"]] == [["-:1", "-:3"][hit["corpus_id"]] for hit in wanted]
    assert told["left_out"] == {"blank line": 1}


def test_the_query_may_be_a_file(rerank, folder, texts):
    as_file = facts(rerank("--query-file", texts / "b.txt", texts, "--model", folder, "--json"))
    as_words = facts(rerank("the piano", texts, "--model", folder, "--json"))
    assert as_file["query"] == {"input": (texts / "b.txt").as_posix(), "kind": "text"}
    assert as_file["hits"] == as_words["hits"]


def test_a_query_in_words_stays_words(rerank, folder, judge, texts, monkeypatch):
    monkeypatch.chdir(texts)
    done = rerank("b.txt", "a.txt", "c.txt", "--model", folder, "--json")
    wanted = judge.rank("b.txt", ["a small dog", "music in the night"])
    assert [hit["score"] for hit in facts(done)["hits"]] == pytest.approx([hit["score"] for hit in wanted], abs=1e-6)
    assert "--query-file opens the file of that name" in done.stderr


@pytest.mark.slow
def test_pictures_texts_and_clips_stand_in_one_ranking(rerank, seeing, samples, texts):
    files = [samples / "red_circle.png", texts / "a.txt", samples / "bouncing_ball.mp4", samples / "icon.gif"]
    told = facts(rerank("--query-file", samples / "blue_square.png", *files, "--model", seeing, "--json"))
    wanted = CrossEncoder(seeing, device="cpu").rank(samples / "blue_square.png", files)
    assert [hit["id"] for hit in told["hits"]] == [files[hit["corpus_id"]].as_posix() for hit in wanted]
    assert {hit["kind"] for hit in told["hits"]} == {"image", "text", "video"}
    assert told["stats"]["opened"] == 4


# ---- options


def test_documents_below_the_lowest_score_are_counted(rerank, folder, judge, samples):
    sentences = (samples / "sentences.txt").read_text(encoding="utf-8").splitlines()
    scores = [hit["score"] for hit in judge.rank(QUERY, sentences)]
    lowest = (scores[5] + scores[6]) / 2
    options = ("--lines", "--model", folder, "--min-score", lowest, "--top", 3)
    told = facts(rerank(QUERY, samples / "sentences.txt", *options, "--json"))
    assert (len(told["hits"]), told["below_min_score"]) == (3, 18)
    assert "18 below the lowest score" in rerank(QUERY, samples / "sentences.txt", *options).stdout


def test_a_prompt_reaches_the_model(rerank, folder, judge, texts):
    told = facts(rerank(QUERY, texts, "--model", folder, "--prompt", "find the", "--batch-size", 1, "--json"))
    wanted = judge.rank(QUERY, ["a small dog", "the piano", "music in the night"], prompt="find the")
    assert [hit["score"] for hit in told["hits"]] == pytest.approx([hit["score"] for hit in wanted], abs=1e-6)
    assert told["hits"] != facts(rerank(QUERY, texts, "--model", folder, "--json"))["hits"]


def test_what_is_cut_is_said_or_refused(rerank, folder, tmp_path):
    (tmp_path / "long.txt").write_text("dog " * 200)
    done = rerank(QUERY, tmp_path / "long.txt", "--model", folder, "--json")
    assert facts(done)["warnings"][0].partition(": ")[0].endswith("longer than this model reads and were cut")
    refused = rerank(QUERY, tmp_path / "long.txt", "--model", folder, "--on-truncate", "error")
    assert refused.exit_code == 4
    assert "long.txt" in refused.stderr


def test_the_environment_names_the_model(folder, texts):
    done = CliRunner().invoke(app, ["rerank", QUERY, str(texts), "--json"], env={"MANYSENSE_RERANKER": str(folder)})
    assert facts(done)["model"] == folder.name


# ---- the table


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_table_fits_the_terminal(rerank, folder, samples, columns):
    from rich.cells import cell_len

    done = rerank(QUERY, samples / "sentences.txt", "--lines", "--model", folder, "--top", 10, columns=columns)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert all(cell_len(line) <= columns for line in lines[:10])
    assert [line.split()[0] for line in lines[:10]] == [str(rank) for rank in range(1, 11)]
    assert f"10 of 24 documents · {folder.name} · probability" in done.stdout
    assert "scores of two models do not compare, see docs/reranking.md" in lines[-1]
    told = facts(rerank(QUERY, samples / "sentences.txt", "--lines", "--model", folder, "--top", 10, "--json"))
    assert [line.split()[1] for line in lines[:10]] == [f"{hit['score']:.3f}" for hit in told["hits"]]


def test_a_long_path_keeps_its_end(rerank, folder, texts):
    done = rerank(QUERY, texts, "--model", folder, columns=40)
    assert all(line.endswith(".txt") and "…" in line for line in done.stdout.splitlines()[:3])


@pytest.mark.parametrize(
    ("score", "shown"), [(0.98765, "0.988"), (-11.2345, "-11.235"), (2.1e-9, "2.1e-09"), (0.0, "0.000")]
)
def test_a_score_shows_its_first_digits(score, shown):
    assert _score(score) == shown


# ---- what goes wrong


@pytest.fixture
def broken(texts) -> Path:
    (texts / "b.txt").write_bytes(b"\xff\xfe\xff")
    return texts


def test_a_broken_document_stops_the_run_with_its_name(rerank, folder, broken):
    done = rerank(QUERY, broken, "--model", folder)
    assert done.exit_code == 4
    assert "item 1 of 3" in done.stderr
    assert "b.txt" in done.stderr
    assert "--on-error skip" in done.stderr


def test_a_broken_document_is_skipped_and_reported(rerank, folder, judge, broken):
    done = rerank(QUERY, broken, "--model", folder, "--on-error", "skip", "--json")
    assert done.exit_code == 1
    (failure,) = facts(done)["failed"]
    assert failure["id"].endswith("b.txt")
    assert [Path(hit["id"]).name for hit in facts(done)["hits"]] == [
        ["a.txt", "c.txt"][hit["corpus_id"]] for hit in judge.rank(QUERY, ["a small dog", "music in the night"])
    ]
    assert "1 failed:\n    " in rerank(QUERY, broken, "--model", folder, "--on-error", "skip").stdout


def test_a_broken_query_is_an_input_that_failed(rerank, folder, broken):
    done = rerank("--query-file", broken / "b.txt", broken / "a.txt", "--model", folder)
    assert done.exit_code == 4
    assert "b.txt' is not UTF-8" in done.stderr


def test_files_that_the_model_does_not_read_are_left_out_and_counted(rerank, folder, samples, texts):
    done = rerank(QUERY, texts, samples / "icon.gif", "--model", folder)
    assert "1 picture (this model does not read them)" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([QUERY], "needs a query and documents"),
        (["", "{texts}"], "the query is empty"),
        ([QUERY, "{texts}", "--top", "0"], "--top"),
        ([QUERY, "{texts}", "--on-error", "nan"], "'skip'"),
        ([QUERY, "nowhere.txt"], "no file or folder"),
        ([QUERY, "{samples}/icon.gif"], "1 picture (this model does not read them)"),
        (["--query-file", "{texts}", "{texts}"], "it must be one"),
        (["--query-file", "-", "{texts}"], "a query in words is the first argument"),
        (["--query-file", "{samples}/icon.gif", "{texts}"], "it reads text"),
        ([QUERY, "{texts}", "--prompt-name", "nope"], "'nope'"),
    ],
)
def test_wrong_usage_ends_with_2(rerank, folder, samples, texts, arguments, words):
    done = rerank(*(one.format(samples=samples, texts=texts) for one in arguments), "--model", folder)
    assert done.exit_code == 2, done.stderr
    assert words in done.stderr


def test_without_a_model_it_says_what_to_take(rerank, texts):
    done = rerank(QUERY, texts)
    assert done.exit_code == 2
    assert "none ships with the package yet" in done.stderr
    assert "cross-encoder/ms-marco-MiniLM-L6-v2" in done.stderr


def test_a_model_that_cannot_rank_ends_with_3(rerank, twin, tmp_path, texts):
    assert rerank(QUERY, texts, "--model", tmp_path).exit_code == 3
    several = rerank(QUERY, texts, "--model", twin("labeller", labels=3))
    assert several.exit_code == 3
    assert "3 labels" in several.stderr
    embedder = rerank(QUERY, texts, "--model", twin("bert"))
    assert embedder.exit_code == 3, embedder.stderr
