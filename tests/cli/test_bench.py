"""`manysense bench`: a load from the command line, its report, its raw data, its ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from manysense.bench.raw import read
from manysense.cli.bench import bench

FAST = ("--rates", "400", "--requests", "80")


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(bench, [*map(str, arguments)], env={"COLUMNS": "80"})

    return run


def test_a_run_leaves_a_report_and_its_raw_data(call, tmp_path):
    done = call("rerank", "stub:1ms", *FAST, "--candidates", "2,4", "--words", "5")
    assert done.exit_code == 0, done.output
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "p99 needs 368 requests at each rate" in done.stdout
    recording = read(tmp_path / "manysense-bench.jsonl")
    assert len(recording.samples) == 80
    assert recording.ended == "finished"
    assert {sample.candidates for sample in recording.samples} == {2, 4}
    assert "<svg" in (tmp_path / "manysense-bench.html").read_text()
    assert recording.peaks[1] > 1_000_000


def test_the_report_is_made_again_from_the_raw_data(call, tmp_path):
    call("rerank", "stub:1ms", *FAST, "-o", "one.html")
    again = call("report", "one.jsonl", "-o", "two.html")
    assert again.exit_code == 0, again.output
    assert (tmp_path / "one.html").read_text() == (tmp_path / "two.html").read_text()


def test_several_runs_come_into_one_report(call, tmp_path):
    for name in ("one", "two"):
        call("rerank", "stub:1ms", *FAST, "-o", f"{name}.html")
    done = call("report", "one.jsonl", "two.jsonl", "--json")
    runs = json.loads(done.stdout)["runs"]
    assert [run["target"] for run in runs] == ["stub:1ms (one)", "stub:1ms (two)"]


def test_facts_for_machines(call):
    done = call("rerank", "stub:1ms", "--rates", "100,200", "--requests", "80", "--json", "--arrivals", "constant")
    (run,) = json.loads(done.stdout)["runs"]
    assert [step["rate"] for step in run["rates"]] == [100.0, 200.0]
    for step in run["rates"]:
        assert step["requests"] == step["answered"] == 80
        assert step["p95"]["low"] <= step["p95"]["seconds"] <= step["p95"]["high"]
        assert step["p50"]["seconds"] >= 0.001
        assert step["p99"] is None


def test_quality_comes_with_judgements(call, tmp_path):
    rows = [{"query": "q", "documents": ["a", "b", "c"], "relevance": [0, 1, 0]}] * 2
    (tmp_path / "judged.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = call("rerank", "stub:1ms", *FAST, "--judgements", "judged.jsonl", "--candidates", "1,3", "--json")
    (run,) = json.loads(done.stdout)["runs"]  # a stub keeps the order of retrieval: the right one is second
    assert [one["candidates"] for one in run["quality"]] == [1, 3]
    assert [one["mrr@10"] for one in run["quality"]] == [0.5, 0.5]
    assert run["quality"][0]["ndcg@10"] == pytest.approx(0.6309, abs=1e-4)
    assert "nDCG@10 0.631" in call("report", "manysense-bench.jsonl", "--overwrite").stdout


def test_a_run_with_failed_requests_ends_with_1_and_says_why(call):
    done = call("rerank", "stub:50ms", "--rates", "200", "--requests", "30", "--patience", "0.2")
    assert done.exit_code == 1, done.output
    assert "dropped: waited over 0.2 s for a worker" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["stub:1ms", "--rates", "fast"], "--rates is a list of numbers"),
        (["stub:1ms", "--rates", "-1"], "above 0"),
        (["stub:1ms", "--out", "report.pdf"], ".html"),
        (["stub:1ms", "--out", "nowhere/r.html"], "no folder"),
        (["stub:1ms", "--folder", ".", "--judgements", "x"], "two sources"),
        (["stub:1ms", "--workers", "0"], "--workers"),
        (["stub:1ms", "--timeout", "0"], "--timeout"),
        (["http://example.org/rerank"], "--allow-remote"),
        (["who knows"], "name one of"),
    ],
)
def test_wrong_usage_ends_with_2_and_leaves_nothing(call, tmp_path, arguments, said):
    done = call("rerank", *arguments)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert list(tmp_path.iterdir()) == []


def test_results_are_not_written_over(call, tmp_path):
    (tmp_path / "manysense-bench.jsonl").write_text("mine")
    done = call("rerank", "stub:1ms", *FAST)
    assert done.exit_code == 2
    assert "--overwrite" in done.output
    assert (tmp_path / "manysense-bench.jsonl").read_text() == "mine"


def test_a_target_that_does_not_answer_ends_with_3(call, tmp_path):
    done = call("rerank", "http://127.0.0.1:9/rerank", *FAST)
    assert done.exit_code == 3
    assert "cannot rank 10 texts" in done.output
    assert "refused" in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_keeps_what_was_measured_and_says_so(tmp_path):
    code = "from manysense.cli.bench import bench; bench()"
    arguments = ["rerank", "stub:5ms", "--rates", "20", "--requests", "100000"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        raw = tmp_path / "manysense-bench.jsonl"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (raw.exists() and raw.read_text().count('"load"') > 20):
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    recording = read(raw)
    assert recording.ended == "interrupted"
    assert len(recording.samples) >= 10
    assert "ended early" in said
    assert "ended early (interrupted)" in (tmp_path / "manysense-bench.html").read_text()


def test_help_of_the_commands_loads_nothing_heavy():
    code = (
        "import sys\nfrom manysense.cli.bench import bench\n"
        "sys.argv = ['bench', 'rerank', '--help']\n"
        "try:\n    bench()\nexcept SystemExit:\n    pass\n"
        "print('LOADED', *sorted({'torch', 'transformers', 'numpy', 'rich', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"
    assert "stub:20ms" in done.stdout
