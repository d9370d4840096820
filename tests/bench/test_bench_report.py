"""The recording as a file, and the report that is made of it."""

from __future__ import annotations

import io
import json
import re
from random import Random
from xml.etree import ElementTree

import pytest

from manysense.bench.clock import VirtualClock
from manysense.bench.load import Sample
from manysense.bench.measure import Plan, measure
from manysense.bench.page import page
from manysense.bench.raw import FINISHED, Writer, read
from manysense.bench.stub import Stub, exponential
from manysense.bench.svg import Axis, Point, Series, chart
from manysense.bench.targets import Target
from manysense.bench.workload import Request, Shape, Workload
from manysense.errors import UsageError


def shapes(judged):
    place = 0 if judged else None
    return (
        Shape("3 texts", lambda random: Request("q", ("a", "b", "c"), "text", 0, place)),
        Shape("2 texts", lambda random: Request("q", ("a", "b"), "text", 0, place)),
        Shape("2 pictures", lambda random: Request("q", ("a.png", "b.png"), "multimodal", 40_000, place)),
    )


class Flaky(Stub):
    """Fails at every 50th call, so that some requests are not answered."""

    calls = 0

    def rank(self, query, documents, /, *, top_k=None):
        self.calls += 1
        if self.calls % 50 == 0:
            raise RuntimeError("<out of memory>")
        return super().rank(query, documents, top_k=top_k)


def recorded(place, *, name="stub", rates=(5.0, 20.0), requests=400, judged=False, upto=None, ended=FINISHED):
    """A recording in virtual time.  upto: events before it ends."""
    clock = VirtualClock()
    workload = Workload(shapes(judged), {"source": "a test", "candidates": [2, 3]}, [[0.0, 1.0, 2.0]] if judged else ())
    plan = Plan(rates=rates, requests=requests)
    target = Target(name, Flaky(exponential(0.04, Random(0)), clock), 1, None, "a stub")
    text = io.StringIO()
    writer, samples = Writer(text), []
    writer.begin(target, workload, plan)
    for number, event in enumerate(measure(target, workload, plan, clock)):
        if number == upto:
            break
        writer.add(event)
        if isinstance(event, Sample) and event.phase == "load":
            samples.append(event)
    if ended:
        writer.end(ended)
    place.write_text(text.getvalue(), encoding="utf-8")
    return samples


def test_a_recording_is_read_as_it_was_written(tmp_path):
    file = tmp_path / "run.jsonl"
    samples = recorded(file)
    recording = read(file)
    assert list(recording.samples) == samples
    assert recording.ended == FINISHED
    assert recording.about["target"] == "stub"
    assert recording.about["plan"]["requests"] == 400
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert sum(line["event"] == "request" and line["phase"] == "warm-up" for line in lines) == 6


def test_a_run_that_was_killed_keeps_its_whole_lines(tmp_path):
    file = tmp_path / "run.jsonl"
    samples = recorded(file, upto=100, ended=None)
    file.write_text(file.read_text() + '{"event": "request", "st')
    recording = read(file)
    assert list(recording.samples) == samples
    assert recording.ended == "the process was killed"
    assert "ended early (the process was killed)" in page([("stub", recording)])


@pytest.mark.parametrize(
    "text", ["", "no json\n", '{"a": 1}\n', '{"event": "run", "format": 0}\n', '{"event": "step"}\n']
)
def test_a_file_that_is_no_recording_is_refused(tmp_path, text):
    (tmp_path / "file").write_text(text)
    with pytest.raises(UsageError):
        read(tmp_path / "file")
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "nowhere")


# ---- the page


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    recorded(folder / "one.jsonl", judged=True)
    recorded(folder / "two.jsonl", name="<b>other</b>", requests=100)
    one, two = read(folder / "one.jsonl"), read(folder / "two.jsonl")
    return page([("one", one)]), page([("one", one), ("<b>other</b>", two)])


def test_the_page_needs_nothing_from_elsewhere(made):
    for text in made:
        assert not re.search(r"<(script|link|img|iframe|object|embed)\b|@import|url\(|https?://", text)
        assert "prefers-color-scheme:dark" in text


def test_every_chart_is_well_formed_and_stays_inside(made):
    for text in made:
        charts = re.findall(r"<svg viewBox=\"0 0 460 300\".*?</svg>", text, re.DOTALL)
        assert charts
        for one in charts:
            root = ElementTree.fromstring(one)
            for dot in root.iter("circle"):
                assert 70 <= float(dot.get("cx")) <= 460
                assert 12 <= float(dot.get("cy")) <= 255
            for text_ in root.iter("text"):
                assert -5 <= float(text_.get("x")) <= 460
                assert "nan" not in (text_.text or "")


def test_the_page_has_every_figure_that_there_are_numbers_for(made):
    single, both = made
    titles = re.findall(r"<h2>(.*?)</h2>", single)
    for title in (
        *("Latency by rate", "Text beside multimodal", "Latency by number of candidates"),
        *("Latency by size of the pictures", "Quality against latency", "Timeline"),
    ):
        assert title in titles
    assert single.count("<figure>") == 6
    assert both.count("<figure>") == 11  # each of them for both, but quality, which is one figure


def test_a_figure_without_numbers_is_left_out(tmp_path):
    recorded(tmp_path / "run.jsonl", requests=20)
    text = page([("run", read(tmp_path / "run.jsonl"))])
    assert "Quality against latency" not in text
    assert "needs 368" in text


def test_failures_are_shown_with_their_reason_and_names_are_text(made):
    single, both = made
    assert "RuntimeError: &lt;out of memory&gt;" in single
    assert "&lt;b&gt;other&lt;/b&gt;" in both
    assert "<b>other</b>" not in both


def test_a_percentile_that_falls_on_an_unanswered_request_is_never(tmp_path):
    recorded(tmp_path / "run.jsonl")
    assert "never" in page([("run", read(tmp_path / "run.jsonl"))])  # one request of fifty fails: p99


def test_a_chart_of_one_point_and_of_nothing_finite_can_be_drawn():
    axis = Axis("x", str, "ordinal"), Axis("y", str, "log")
    for y in (1.0, float("inf")):
        ElementTree.fromstring(chart([Series("a", [Point(3, y, y, y)], 1)], *axis))
    ElementTree.fromstring(chart([Series("a", [Point(0, 0.5)], 1)], Axis("x", str), Axis("y", str)))
