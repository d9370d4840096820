"""`manysense embed`: real files in, files of vectors out."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pyarrow.parquet as parquet
import pytest
from typer.testing import CliRunner

from manysense.cli.app import app
from manysense.inputs.forms import suffix_kind


@pytest.fixture
def embed(monkeypatch):
    """embed(*arguments) → the result of the command."""
    monkeypatch.delenv("MANYSENSE_MODEL", raising=False)

    def call(*arguments, **kwargs):
        return CliRunner().invoke(app, ["embed", *map(str, arguments)], **kwargs)

    return call


def stored(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def facts(result):
    return json.loads(result.stdout)


def test_a_folder_gives_what_encode_gives(embed, twin, model, samples, tmp_path):
    out = tmp_path / "out.npz"
    done = embed(samples, "--out", out, "--model", twin("clip"))
    assert done.exit_code == 0, done.stderr
    got = stored(out)
    names = sorted(p for p in samples.iterdir() if p.suffix in {".png", ".jpg", ".gif", ".webp", ".txt", ".md"})
    assert got["ids"].tolist() == [p.as_posix() for p in names]
    assert got["embeddings"].dtype == np.float32
    expected = model("clip").encode(names, on_truncate="ignore")
    np.testing.assert_allclose(got["embeddings"], expected, atol=1e-6)
    metadata = json.loads(str(got["metadata"]))
    assert metadata["dims"] == expected.shape[1]
    assert metadata["precision"] == "float32"
    assert not (tmp_path / "out.npz.part").exists()


def test_what_is_left_out_is_counted_and_said(embed, twin, samples, tmp_path):
    out = tmp_path / "out.npz"
    done = embed(samples, samples / "icon.gif", "--out", out, "--model", twin("clip"), "--json")
    kinds = Counter(suffix_kind(path.name) for path in samples.iterdir())
    scripts = len(list(samples.glob("*.py")))
    counted = {"audio": kinds["audio"], "video": kinds["video"], "unknown .py": scripts, "named twice": 1}
    assert facts(done)["left_out"] == counted
    assert f"{kinds['audio']} sounds (this model does not read them)" in done.stderr
    assert f"{scripts} files of an unknown kind .py" in done.stderr


def test_folders_are_walked_sorted_without_hidden_files_or_the_result(embed, twin, tmp_path):
    for name in ("b/2.txt", "b/10.md", "a.txt", ".hidden.txt", ".git/config.txt", "b/.x/y.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"text {name}")
    out = tmp_path / "out.jsonl"
    done = embed(tmp_path, "--out", out, "--model", twin("bert"), "--json")
    ids = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    assert ids == [(tmp_path / name).as_posix() for name in ("a.txt", "b/10.md", "b/2.txt")]
    assert facts(done)["left_out"] == {}
    again = embed(tmp_path, "--out", out, "--model", twin("bert"), "--json", "--overwrite")
    assert facts(again)["left_out"] == {}


def test_a_quoted_glob_is_expanded_here(embed, twin, samples, tmp_path):
    done = embed(f"{samples}/*.png", "--out", tmp_path / "out.npz", "--model", twin("clip"), "--json")
    assert facts(done)["items"] == len(list(samples.glob("*.png")))
    none = embed(f"{samples}/*.nothing", "--out", tmp_path / "o.npz", "--model", twin("clip"))
    assert none.exit_code == 2
    assert "no file matches" in none.stderr


def test_a_kind_without_a_suffix_is_told_from_the_bytes(embed, twin, samples, tmp_path):
    (tmp_path / "picture").write_bytes((samples / "icon.gif").read_bytes())
    done = embed(tmp_path / "picture", "--out", tmp_path / "out.npz", "--model", twin("clip"), "--json")
    assert facts(done)["items"] == 1


def test_stdin_is_a_text_a_line_even_where_it_looks_like_a_file(embed, twin, model, tmp_path):
    out = tmp_path / "out.npz"
    given = "a red circle\r\n\n  \nphoto.jpg\nlast"
    done = embed("-", "--out", out, "--model", twin("clip"), "--json", input=given)
    got = stored(out)
    assert got["ids"].tolist() == ["-:1", "-:4", "-:5"]
    assert facts(done)["left_out"] == {"blank line": 2}
    from manysense import Text

    expected = model("clip").encode(["a red circle", Text("photo.jpg"), "last"])
    np.testing.assert_allclose(got["embeddings"], expected, atol=1e-6)


def test_lines_of_text_files_are_items(embed, twin, model, tmp_path):
    (tmp_path / "t.txt").write_text("one\ntwo\u2028still two\n", encoding="utf-8-sig")
    done = embed(tmp_path / "t.txt", "--lines", "--out", tmp_path / "o.npz", "--model", twin("bert"))
    assert done.exit_code == 0, done.stderr
    got = stored(tmp_path / "o.npz")
    assert [name.rpartition(":")[2] for name in got["ids"].tolist()] == ["1", "2"]
    np.testing.assert_allclose(got["embeddings"], model("bert").encode(["one", "two\u2028still two"]), atol=1e-6)


def test_jsonl_holds_the_same_float32(embed, twin, tmp_path):
    for suffix in ("npz", "jsonl"):
        embed("-", "--out", tmp_path / f"o.{suffix}", "--model", twin("bert"), input="one\ntwo\n")
    rows = [json.loads(line)["embedding"] for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert np.array_equal(np.array(rows, np.float32), stored(tmp_path / "o.npz")["embeddings"])


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
def test_a_precision_does_not_depend_on_chunks(embed, twin, tmp_path, monkeypatch, precision):
    texts = "\n".join(f"text {i} of many" for i in range(23))
    for chunk in ("256", "4"):
        monkeypatch.setenv("MANYSENSE_CHUNK", chunk)
        out = tmp_path / f"{chunk}.npz"
        embed("-", "--out", out, "--model", twin("bert"), "--precision", precision, input=texts)
    one, two = stored(tmp_path / "256.npz"), stored(tmp_path / "4.npz")
    assert one["embeddings"].dtype == (np.int8 if precision in ("int8", "binary") else np.uint8)
    difference = np.abs(one["embeddings"].astype(int) - two["embeddings"].astype(int))
    assert (difference > 0).mean() < 0.01  # a value on the edge of a step may fall on either side
    if precision in ("int8", "uint8"):
        np.testing.assert_allclose(one["ranges"], two["ranges"], atol=1e-6)


def test_options_reach_encode(embed, twin, model, tmp_path):
    folder = twin("bert", normalize=False, prompts={"find": "find: "})
    options = ("--normalize", "--truncate-dim", 8, "--prompt-name", "find", "--batch-size", 1)
    done = embed("-", "--out", tmp_path / "o.npz", "--model", folder, *options, input="a small dog\nx")
    assert done.exit_code == 0, done.stderr
    network = model("bert", normalize=False, prompts={"find": "find: "})
    expected = network.encode(
        ["a small dog", "x"], normalize_embeddings=True, truncate_dim=8, prompt_name="find", batch_size=1
    )
    np.testing.assert_allclose(stored(tmp_path / "o.npz")["embeddings"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "{tmp}/o.csv"], "must end in one of"),
        (["--out", "{tmp}/no/o.npz"], "there is no folder"),
        (["--out", "{tmp}/folder.npz", "--overwrite"], "is a folder"),
        (["--out", "{tmp}/there.npz"], "--overwrite replaces it"),
        (["--out", "{tmp}/o.npz", "--precision", "int4"], "'int8'"),
        (["--out", "{tmp}/o.npz", "--on-error", "nan"], "'skip'"),
        (["--out", "{tmp}/o.npz", "--truncate-dim", "999"], "from 1 to 32"),
        (["--out", "{tmp}/o.npz", "--prompt-name", "nope"], "'nope'"),
        (["nowhere.txt", "--out", "{tmp}/o.npz"], "no file or folder"),
        (["https://example.org/x", "--out", "{tmp}/o.npz"], "does not say what it holds"),
        (["{samples}/icon.gif", "--out", "{tmp}/o.npz"], "1 picture (this model does not read them)"),
    ],
)
def test_wrong_usage_is_refused_before_any_work(embed, twin, samples, tmp_path, arguments, words):
    (tmp_path / "there.npz").touch()
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "t.txt").write_text("words")
    given = [argument.format(tmp=tmp_path, samples=samples) for argument in arguments]
    given = given if not given[0].startswith("--") else [str(tmp_path / "t.txt"), *given]
    done = embed(*given, "--model", twin("bert"))
    assert done.exit_code == 2, done.stderr
    assert words in done.stderr
    assert not list(tmp_path.glob("*.part"))


def test_parquet_without_pyarrow_says_what_to_install(embed, twin, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    done = embed("-", "--out", tmp_path / "o.parquet", "--model", twin("bert"), input="x")
    assert done.exit_code == 3
    assert "pip install pyarrow" in done.stderr


def test_parquet_holds_what_npz_holds(embed, twin, tmp_path):
    for suffix in ("npz", "parquet"):
        embed("-", "--out", tmp_path / f"o.{suffix}", "--model", twin("bert"), input="one\ntwo\n")
    table, arrays = parquet.read_table(tmp_path / "o.parquet"), stored(tmp_path / "o.npz")
    assert table["id"].to_pylist() == arrays["ids"].tolist()
    assert np.array_equal(np.array(table["embedding"].to_pylist(), np.float32), arrays["embeddings"])
    assert json.loads(table.schema.metadata[b"manysense"]) == json.loads(str(arrays["metadata"]))


@pytest.fixture
def mixed(samples, tmp_path):
    """Two good pictures around a broken one."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "1.png").write_bytes((samples / "red_circle.png").read_bytes())
    (folder / "2.jpg").write_bytes((samples / "night_sky.jpg").read_bytes()[:300])
    (folder / "3.png").write_bytes((samples / "blue_square.png").read_bytes())
    return folder


def test_a_broken_file_stops_the_run_with_its_name(embed, twin, mixed, tmp_path):
    done = embed(mixed, "--out", tmp_path / "o.npz", "--model", twin("clip"))
    assert done.exit_code == 4
    assert "item 1 of 3" in done.stderr
    assert "2.jpg" in done.stderr
    assert "--on-error skip" in done.stderr
    assert not list(tmp_path.glob("o.npz*"))


def test_a_broken_file_is_skipped_and_reported(embed, twin, model, mixed, tmp_path):
    done = embed(mixed, "--out", tmp_path / "o.npz", "--model", twin("clip"), "--on-error", "skip", "--json")
    assert done.exit_code == 1
    (failure,) = facts(done)["failed"]
    assert failure["id"].endswith("2.jpg")
    assert "file ends after 300 bytes" in failure["reason"]
    assert "1 failed" in done.stderr
    got = stored(tmp_path / "o.npz")
    assert [name[-5:] for name in got["ids"].tolist()] == ["1.png", "3.png"]
    expected = model("clip").encode([mixed / "1.png", mixed / "3.png"])
    np.testing.assert_allclose(got["embeddings"], expected, atol=1e-6)


def test_a_run_that_stopped_at_a_broken_file_goes_on_once_it_is_mended(
    embed, twin, mixed, samples, tmp_path, monkeypatch
):
    monkeypatch.setenv("MANYSENSE_CHUNK", "1")
    stopped = embed(mixed, "--out", tmp_path / "o.npz", "--model", twin("clip"))
    assert "1 finished ones are kept" in stopped.stderr
    (mixed / "2.jpg").write_bytes((samples / "night_sky.jpg").read_bytes())
    done = embed(mixed, "--out", tmp_path / "o.npz", "--model", twin("clip"), "--json")
    assert (facts(done)["kept_from_before"], facts(done)["embedded"]) == (1, 2)


def test_truncation_is_said_once_for_all_chunks(embed, twin, tmp_path, monkeypatch):
    monkeypatch.setenv("MANYSENSE_CHUNK", "2")
    long = "\n".join(["dog " * 70, "short", "cat " * 90, "short", "dog " * 50, "x"])
    done = embed("-", "--out", tmp_path / "o.npz", "--model", twin("bert"), "--json", input=long)
    (warning,) = facts(done)["warnings"]
    assert warning.startswith("3 of 6 inputs are longer")
    assert "the longest has 92" in warning
    refused = embed("-", "--out", tmp_path / "p.npz", "--model", twin("bert"), "--on-truncate", "error", input=long)
    assert refused.exit_code == 4
    assert "-:1" in refused.stderr


def test_without_a_model_the_packaged_one_is_named(embed, tmp_path):
    done = embed("-", "--out", tmp_path / "o.npz", "--json", input="x")
    assert facts(done)["model"] == "manysense/starter"
    assert "ships with manysense" in done.stderr


def test_the_environment_names_the_model(embed, twin, tmp_path):
    done = embed("-", "--out", tmp_path / "o.npz", "--json", input="x", env={"MANYSENSE_MODEL": str(twin("bert"))})
    assert facts(done)["dims"] == 32
