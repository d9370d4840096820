"""A run that is killed or interrupted goes on: same bits, at most one chunk done twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from manysense.cli.app import app
from manysense.cli.gather import Entry
from manysense.cli.work import cut

CHUNK = 16
TEXTS = 1500


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    words = "dog cat rain piano night house circle red small picture".split()
    lines = [" ".join(words[(i * k) % len(words)] for k in range(1, 3 + i % 17)) + f" {i}" for i in range(TEXTS)]
    path.write_text("\n".join(lines))
    return path


def command(texts, out, folder):
    return ["embed", str(texts), "--lines", "--out", str(out), "--model", str(folder)]


def start(arguments):
    environment = {**os.environ, "MANYSENSE_CHUNK": str(CHUNK), "MANYSENSE_DEBUG": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "manysense", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def stopped(arguments, after, by):
    """Run until `after` chunks of this run are in the journal, then send the signal; (chunks begun, what was said)."""
    process, trace = start(arguments), []
    for line in process.stderr:
        trace.append(line)
        if sum("is in the journal" in said for said in trace) == after:
            process.send_signal(by)
            break
    trace += process.stderr.readlines()
    process.wait()
    return process.returncode, begun("".join(trace)), "".join(trace)


def begun(trace):
    return [int(number) for number in re.findall(r"chunk (\d+) begins", trace)]


def invoke(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_bits_and_one_chunk_twice(texts, twin, tmp_path):
    folder, out = twin("bert"), tmp_path / "out.npz"
    code, first, _ = stopped(command(texts, out, folder), 20, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert not out.exists()
    last = start([*command(texts, out, folder), "--json"])
    report, trace = last.communicate()
    assert last.returncode == 0, trace
    second = begun(trace)
    chunks = -(-TEXTS // CHUNK)
    assert set(first + second) == set(range(chunks))
    assert len(first) < chunks
    assert len(first) + len(second) <= chunks + 1
    assert len(set(first) & set(second)) <= 1
    facts = json.loads(report)
    assert facts["kept_from_before"] + facts["embedded"] == facts["items"] == TEXTS
    assert facts["kept_from_before"] >= 20 * CHUNK
    calm = start(command(texts, tmp_path / "calm.npz", folder))
    calm.communicate()
    assert calm.returncode == 0
    assert out.read_bytes() == (tmp_path / "calm.npz").read_bytes()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on(texts, twin, tmp_path):
    code, _, said = stopped(command(texts, tmp_path / "out.npz", twin("bert")), 5, signal.SIGINT)
    assert code == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    (kept,) = re.findall(r"(\d+) finished ones are kept in .*out\.npz\.part: the same command goes on", said)
    chunks = sum(path.stem.isdigit() for path in (tmp_path / "out.npz.part").iterdir())
    assert int(kept) == chunks * CHUNK >= 5 * CHUNK
    assert not (tmp_path / "out.npz").exists()


@pytest.fixture
def unfinished(tmp_path, twin, samples, monkeypatch):
    """A run over three texts that stopped at the third: (its arguments, the folder of its inputs)."""
    monkeypatch.setenv("MANYSENSE_CHUNK", "1")
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.txt").write_text(f"text {name}")
    (folder / "c.txt").write_bytes(b"\xff\xfe\xfa")
    arguments = ["embed", folder, "--out", tmp_path / "o.npz", "--model", twin("bert")]
    assert invoke(*arguments).exit_code == 4
    return arguments, folder


def kept(result):
    return json.loads(result.stdout)["kept_from_before"]


def test_it_goes_on_with_skip_where_it_stopped_with_raise(unfinished):
    arguments, _ = unfinished
    done = invoke(*arguments, "--on-error", "skip", "--json")
    assert done.exit_code == 1
    assert kept(done) == 2


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--normalize"], "normalize was False, now True"),
        (["--prompt", "p"], "prompt was None, now 'p'"),
        (["--truncate-dim", "4"], "truncate_dim was None, now 4"),
    ],
)
def test_other_settings_are_refused(unfinished, option, words):
    arguments, _ = unfinished
    done = invoke(*arguments, *option)
    assert done.exit_code == 2
    assert words in done.stderr
    anew = invoke(*arguments, *option, "--overwrite", "--on-error", "skip", "--json")
    assert kept(anew) == 0


def test_another_model_is_refused(unfinished, twin):
    arguments, _ = unfinished
    done = invoke(*arguments[:-1], twin("bert", seed=1))
    assert done.exit_code == 2
    assert "model" in done.stderr


def test_other_inputs_are_refused(unfinished):
    arguments, folder = unfinished
    (folder / "aa.txt").write_text("new")
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert "item 1 was" in done.stderr


def test_a_finished_file_that_changed_is_refused_and_one_that_waits_is_not(unfinished):
    arguments, folder = unfinished
    (folder / "c.txt").write_text("mended")
    (folder / "a.txt").write_text("something else")
    assert "have changed since" in invoke(*arguments).stderr
    (folder / "a.txt").unlink()
    assert "other inputs" in invoke(*arguments).stderr


def test_other_precision_and_batch_size_may_go_on(unfinished):
    arguments, folder = unfinished
    (folder / "c.txt").write_text("mended")
    assert kept(invoke(*arguments, "--precision", "ubinary", "--batch-size", "2", "--json")) == 2


def test_overwrite_goes_on_too_so_that_the_same_command_can_be_given_again(unfinished):
    arguments, folder = unfinished
    (folder / "c.txt").write_text("mended")
    assert kept(invoke(*arguments, "--overwrite", "--json")) == 2


def test_a_damaged_chunk_is_named(unfinished, tmp_path):
    arguments, _ = unfinished
    (tmp_path / "o.npz.part" / "000001.npz").write_bytes(b"PK\x03\x04 and no more")
    done = invoke(*arguments)
    assert done.exit_code == 2
    assert "000001.npz is damaged" in done.stderr


def test_two_runs_do_not_share_a_journal(unfinished, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    arguments, _ = unfinished
    with (tmp_path / "o.npz.part" / "lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = invoke(*arguments)
    assert done.exit_code == 2
    assert "another run" in done.stderr


def test_a_folder_that_is_no_journal_is_left_alone(twin, tmp_path):
    folder = tmp_path / "o.npz.part"
    folder.mkdir()
    (folder / "thesis.doc").write_text("years of work")
    (tmp_path / "a.txt").write_text("x")
    done = invoke("embed", tmp_path / "a.txt", "--out", tmp_path / "o.npz", "--model", twin("bert"), "--overwrite")
    assert done.exit_code == 2
    assert (folder / "thesis.doc").read_text() == "years of work"


def test_a_result_that_cannot_be_written_keeps_the_journal(twin, tmp_path, monkeypatch):
    from manysense.cli import results

    def full(file, result):
        raise OSError(28, "No space left on device")

    (tmp_path / "a.txt").write_text("x")
    arguments = ["embed", tmp_path / "a.txt", "--out", tmp_path / "o.npz", "--model", twin("bert")]
    with monkeypatch.context() as patched:
        patched.setattr(results, "_write_npz", full)
        done = invoke(*arguments)
    assert done.exit_code == 70
    assert "No space left" in done.stderr
    assert not (tmp_path / "o.npz").exists()
    assert kept(invoke(*arguments, "--json")) == 1


def test_chunks_are_cut_by_order_and_kind_alone():
    kinds = ["text"] * 300 + ["video"] * 9 + ["image"] * 65
    entries = [Entry(str(i), None, kind, "") for i, kind in enumerate(kinds)]
    chunks = cut(entries, 256)
    assert [position for chunk in chunks for position in chunk] == list(range(len(kinds)))
    assert chunks[0] == range(256)
    assert [len(chunk) for chunk in chunks] == [256, 51, 50, 17]
    assert cut([], 256) == []
