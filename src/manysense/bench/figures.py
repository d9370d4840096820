"""The figures of the report, from recordings.

Knows: which samples each figure shows. Does not know: how a chart is drawn (svg.py), the page around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from .load import Sample
from .raw import Recording
from .stats import Estimate
from .summary import LEVELS, Latencies, Quality, Summary, grouped, quality, summary
from .svg import Axis, Point, Series, chart, legend
from .units import brief, short

DOTS = 3000
"""Most points of one timeline."""
NAMES = [f"p{level * 100:g}" for level in LEVELS]
KINDS = ("text", "multimodal")


@dataclass(frozen=True)
class Measured:
    """A recording with its steps summed up.  name: what tells it from the others of the report."""

    name: str
    recording: Recording

    @cached_property
    def steps(self) -> list[Summary]:
        """By rate, ascending."""
        made = [summary(samples, self.recording.workers) for samples in self.recording.steps().values()]
        return sorted(made, key=lambda step: step.rate)

    @property
    def chosen(self) -> Summary:
        """The step that sizes are compared at: the highest rate that the target keeps up with below all that it does
        not, else the lowest."""
        best = self.steps[0]
        for step in self.steps:
            if not step.keeps_up:
                break
            best = step
        return best

    @cached_property
    def kinds(self) -> list[str]:
        there = {sample.kind for sample in self.recording.samples}
        return [kind for kind in KINDS if kind in there]

    def of_kind(self, samples: Iterable[Sample], kind: str) -> list[Sample]:
        return [sample for sample in samples if sample.kind == kind]

    def qualities(self) -> dict[int, tuple[Latencies, Quality]]:
        """Candidates → latencies at the chosen rate, and quality over all rates; empty without judgements."""
        judgements = self.recording.about["judgements"]
        if not judgements:
            return {}
        asked = self.recording.about["workload"]["candidates"]
        one = asked == "all"  # lists of many lengths: one point, not one for each length
        at = {0: self.chosen.latencies} if one else grouped(self.chosen.latencies.samples, _candidates)
        every = {0: self.recording.samples} if one else _by_candidates(self.recording.samples, at)
        return {key: (at[key], quality(every[key], judgements)) for key in at}


def _candidates(sample: Sample) -> int:
    return sample.candidates


def _by_candidates(samples: Sequence[Sample], keys: Mapping[int, Latencies]) -> dict[int, Sequence[Sample]]:
    every = grouped(samples, _candidates)
    return {key: every[key].samples if key in every else () for key in keys}


# ---- the figures, each as HTML, or "" where there is nothing to show


def by_rate(runs: Sequence[Measured]) -> str:
    def lines(run: Measured) -> list[Series]:
        return _lines(LEVELS, [(step.rate, step.latencies, not step.keeps_up) for step in run.steps])

    rates = [step.rate for run in runs for step in run.steps]
    axis = Axis("requests a second", short, "log" if len(set(rates)) > 1 else "ordinal", rates)
    note = "Hollow: the target no longer kept up. A triangle at the top: so many requests went unanswered."
    return _panels("Latency by rate", note, [(_caption(runs, run), lines(run)) for run in runs], axis)


def kinds_by_rate(runs: Sequence[Measured]) -> str:
    shown = [run for run in runs if len(run.kinds) > 1]

    def lines(run: Measured) -> list[Series]:
        made = []
        for colour, kind in enumerate(KINDS, 1):
            steps = [
                (step.rate, Latencies(tuple(run.of_kind(step.latencies.samples, kind))), not step.keeps_up)
                for step in run.steps
            ]
            made += _of_kind(kind, colour, steps)
        return made

    rates = [step.rate for run in shown for step in run.steps]
    axis = Axis("requests a second", short, "log" if len(set(rates)) > 1 else "ordinal", rates)
    note = "Both kinds came through the same queue, in random order: each waits for the other."
    return _panels("Text beside multimodal", note, [(_caption(runs, run), lines(run)) for run in shown], axis)


def by_candidates(runs: Sequence[Measured]) -> str:
    return _by_size(runs, "Latency by number of candidates", "candidates", _candidates)


def by_pixels(runs: Sequence[Measured]) -> str:
    title = "Latency by size of the pictures"
    return _by_size(runs, title, "pixels of a picture (0: text)", lambda sample: sample.pixels)


def _by_size(runs: Sequence[Measured], title: str, label: str, size: Callable[[Sample], int]) -> str:
    found = [(run, grouped(run.recording.samples, size)) for run in runs]
    shown = [run for run, groups in found if len(groups) > 1]

    def lines(run: Measured) -> list[Series]:
        made = []
        for colour, kind in enumerate(KINDS, 1):
            groups = grouped(run.of_kind(run.chosen.latencies.samples, kind), size)
            made += _of_kind(kind, colour, [(key, group, False) for key, group in groups.items()])
        return made

    sizes = sorted({key for run, groups in found for key in groups if run in shown})
    panels = [(_caption(runs, run, f"at {short(run.chosen.rate)} a second"), lines(run)) for run in shown]
    note = "Each at the highest rate that it kept up with, or at the lowest where there is none."
    if len(runs) == 1 and shown:
        which = (
            "highest rate that the target kept up with" if shown[0].chosen.keeps_up else "lowest rate, too much already"
        )
        note = f"At {short(shown[0].chosen.rate)} a second, the {which}."
    return _panels(title, note, panels, Axis(label, short, "ordinal", sizes))


def timeline(runs: Sequence[Measured]) -> str:
    parts = []
    for run in runs:
        offset, ends = 0.0, []
        dots: dict[str, list[Point]] = {kind: [] for kind in KINDS}
        for samples in run.recording.steps().values():
            for sample in samples:
                dots[sample.kind].append(Point(offset + sample.scheduled, sample.latency))
            offset += max(max(s.scheduled, s.finished or 0) for s in samples)
            ends.append(offset)
        series = [
            Series(kind, _thinned(dots[kind]), colour, "dots") for colour, kind in enumerate(KINDS, 1) if dots[kind]
        ]
        parts.append((_caption(runs, run), series))
    note = "Every request, where it was scheduled; rate after rate, in the order in which they were measured."
    return _panels("Timeline", note, parts, Axis("seconds", short), share=False)


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """At most DOTS, the slowest of each handful that falls together."""
    every = math.ceil(len(points) / DOTS)
    ordered = sorted(points, key=lambda point: point.x)
    return [max(ordered[i : i + every], key=lambda point: point.y) for i in range(0, len(ordered), every)]


def by_quality(runs: Sequence[Measured]) -> str:
    series = []
    for place, run in enumerate(runs):
        points = []
        for count, (latencies, good) in run.qualities().items():
            typical = latencies.percentiles[0]
            if typical.value is not None and math.isfinite(typical.value) and good.ndcg is not None:
                points.append(Point(typical.value, good.ndcg, label=f"{count} candidates" if count else ""))
        if points:
            series.append(Series(run.name, points, place % 4 + 1, "line"))
    if not series:
        return ""
    axes = Axis("p50 latency", brief, "log"), Axis("nDCG@10", lambda value: f"{value:.2f}")
    note = "Up and to the left is better. Documents that were not among the candidates stand behind, as retrieved."
    return _section("Quality against latency", note, legend(series), f"<figure>{chart(series, *axes)}</figure>")


# ---- their parts


def _caption(runs: Sequence[Measured], run: Measured, what: str = "") -> str:
    """Names the run, and what it shows, where there is more than one."""
    return ", ".join(part for part in (run.name, what) if part) if len(runs) > 1 else ""


def _lines(levels: Sequence[float], steps: Sequence[tuple[float, Latencies, bool]]) -> list[Series]:
    made = []
    for column in range(len(levels)):
        points = [_point(x, latencies.percentiles[column], hollow) for x, latencies, hollow in steps]
        made.append(Series(NAMES[column], [point for point in points if point], column + 1))
    return [one for one in made if one.points]


def _of_kind(kind: str, colour: int, groups: Sequence[tuple[float, Latencies, bool]]) -> list[Series]:
    """p50 as a line, p95 dashed, of one kind."""
    made: list[Series] = []
    for column in (0, 1):
        points = [_point(x, group.percentiles[column], hollow) for x, group, hollow in groups]
        held = [point for point in points if point]
        if held:
            made.append(Series(f"{kind}, {NAMES[column]}", held, colour, "dashed" if column else "line"))
    return made


def _point(x: float, one: Estimate, hollow: bool) -> Point | None:
    return None if one.value is None else Point(x, one.value, one.low, one.high, hollow=hollow)


def _panels(title: str, note: str, panels: Sequence[tuple[str, list[Series]]], x: Axis, share: bool = True) -> str:
    """Panels side by side, with one range of latencies, and one legend."""
    full = [(name, series) for name, series in panels if series]
    if not full:
        return ""
    reach = [
        v for _, series in full for one in series for p in one.points for v in (p.y, p.low, p.high) if v is not None
    ]
    y = Axis("latency", brief, "log", reach)
    across = x if share else Axis(x.label, x.show, x.scale)
    drawn = "".join(
        f"<figure>{f'<figcaption>{escape(name)}</figcaption>' if name else ''}{chart(series, across, y)}</figure>"
        for name, series in full
    )
    names = {one.name: one for _, series in full for one in series}
    return _section(title, note, legend(list(names.values())), drawn)


def _section(title: str, note: str, names: str, figures: str) -> str:
    return f"<section><h2>{title}</h2><p class=note>{note}</p>{names}<div class=panels>{figures}</div></section>"
