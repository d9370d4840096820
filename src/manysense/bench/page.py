"""The report: one HTML file with everything in it, for light and dark screens.

Knows: tables, the page's words and style. Does not know: how figures are drawn (figures.py), or how it was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from .figures import NAMES, Measured, by_candidates, by_pixels, by_quality, by_rate, kinds_by_rate, timeline
from .raw import FINISHED, Recording
from .stats import needed
from .summary import LEVELS, Latencies, grouped
from .units import estimate, interval, percent, seconds, short, size, three

_STYLE = """
:root{color-scheme:light dark;--ink:#1f2430;--soft:#667085;--paper:#fff;--rule:#e3e6ec;--warn:#9a3412;--mark:#fff4ed;
--c1:#1d5fbf;--c2:#c2570c;--c3:#7c3aa8;--c4:#0f766e}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8ee;--soft:#98a2b3;--paper:#14171e;--rule:#2b303b;--warn:#fdba74;
--mark:#3a2415;--c1:#7ab2ff;--c2:#ffab66;--c3:#cf9bf5;--c4:#5fd4c4}}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;color:var(--ink);background:var(--paper);
max-width:1080px;margin:0 auto;padding:24px 20px 60px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:36px 0 4px}h3{font-size:15px;margin:20px 0 6px}
p{margin:4px 0}.note,footer{color:var(--soft);max-width:76ch}
.warn{background:var(--mark);color:var(--warn);padding:8px 12px;border-radius:6px;margin:12px 0}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:6px 0}
th,td{white-space:nowrap}
th,td{text-align:right;padding:4px 14px 4px 0;border-bottom:1px solid var(--rule);vertical-align:top}
th{font-weight:600;color:var(--soft)}th:first-child,td:first-child{text-align:left}
small{display:block;color:var(--soft);font-size:12px}
.beside{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:0 32px}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:8px 24px}
figure{margin:8px 0;max-width:620px}figcaption{font-weight:600;font-size:14px}
figure svg{width:100%;height:auto;display:block}
.legend{display:flex;flex-wrap:wrap;gap:2px 20px;color:var(--soft);font-size:14px}
.mark{width:22px;height:12px;margin-right:6px}
.tick{font-size:12px;fill:var(--soft)}.name{font-size:12.5px;fill:var(--ink)}
.label{font-size:12px;fill:var(--ink);stroke:var(--paper);stroke-width:4px;paint-order:stroke}
.grid{stroke:var(--rule)}.axis{stroke:var(--soft);fill:none}.line{fill:none;stroke-width:2}
.dashed{stroke-dasharray:6 4}.interval{stroke-width:5;opacity:.28}.dot{stroke-width:1.5}
.c1{stroke:var(--c1)}.c2{stroke:var(--c2)}.c3{stroke:var(--c3)}.c4{stroke:var(--c4)}
.dot.c1{fill:var(--c1)}.dot.c2{fill:var(--c2)}.dot.c3{fill:var(--c3)}.dot.c4{fill:var(--c4)}.dot.hollow{fill:var(--paper)}
summary{cursor:pointer;color:var(--soft);margin-top:10px}
"""

_READING = f"""
<p>Latency counts from the moment at which a request was scheduled to arrive, whatever the target was doing then: the
time in the queue is in it. A request that failed, or was dropped, counts as infinitely late: "never" means that the
percentile falls on one.</p>
<p>Below each percentile is its 95 % interval, from a circular block bootstrap over the requests in their order. A
percentile is left out where there are too few requests to give it an interval at all: p50 needs {needed(LEVELS[0])},
p95 {needed(LEVELS[1])}, p99 {needed(LEVELS[2])}. Mean and maximum are of the answered requests.</p>
<p>Load is rate × mean service time / workers: from 100 % on the queue grows for as long as the rate lasts, and the
latencies say only how long it lasted. Busy is the share of the time that the workers were at it. Memory is the peak of
the resident memory of the target's process.</p>
"""


def page(recordings: Sequence[tuple[str, Recording]]) -> str:
    """HTML.  recordings: (name, recording), each with at least one sample; names differ."""
    runs = [Measured(name, recording) for name, recording in recordings]
    figures = (by_rate, kinds_by_rate, by_candidates, by_pixels, by_quality, timeline)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width,initial-scale=1">',
        f"<title>Reranking latency: {escape(', '.join(run.name for run in runs))}</title><style>{_STYLE}</style>",
        "<h1>Reranking latency under load</h1>",
        *(_opening(run) for run in runs),
        *(_rates(run) for run in runs),
        f"<div class={'beside' if len(runs) == 1 else 'below'}>",
        *(figure(runs) for figure in figures),
        "</div>",
        *(_judged(run) for run in runs),
        *(_failures(run) for run in runs),
        "<h2>Every rate by kind and size</h2>",
        *(_details(run) for run in runs),
        f"<h2>How to read it</h2><footer>{_READING}</footer></html>",
    ]
    return "\n".join(part for part in parts if part)


def write(recordings: Sequence[tuple[str, Recording]], out: Path) -> None:
    out.write_text(page(recordings), encoding="utf-8")


def _opening(run: Measured) -> str:
    about, plan = run.recording.about, run.recording.about["plan"]
    machine = about["machine"]
    facts = ", ".join(f"{name} {_said(value)}" for name, value in about["workload"].items() if name != "source")
    lines = [
        f"<b>{escape(about['target'])}</b>" + (f" · {escape(about['made_by'])}" if about["made_by"] else ""),
        f"{plan['process'].capitalize()} arrivals, {plan['requests']} requests a rate, "
        f"{_many(run.recording.workers, 'worker')}, seed {plan['seed']} · "
        f"{escape(about['workload']['source'])}: {escape(facts)}",
        f"{escape(machine['processor'])}, {_many(machine['cores'], 'core')}, {escape(machine['system'])}, "
        f"Python {machine['python']}, manysense {machine['manysense']} · {escape(about['began'])}",
    ]
    made = f"<p>{lines[0]}</p>" + "".join(f"<p class=note>{line}</p>" for line in lines[1:])
    if run.recording.ended != FINISHED:
        made += f"<p class=warn>This run ended early ({escape(run.recording.ended)}); what it had measured is here.</p>"
    return made


def _said(value: Any) -> str:
    return ", ".join(short(one) for one in value) if isinstance(value, list) else str(value)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _table(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML."""
    heads = "".join(f"<th>{cell}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class=scroll><table><tr>{heads}</tr>{body}</table></div>"


def _percentiles(latencies: Latencies) -> list[str]:
    return [f"{estimate(one)}<small>{interval(one)}</small>" for one in latencies.percentiles]


def _rates(run: Measured) -> str:
    head = [
        "a second",
        *NAMES,
        "mean",
        "max",
        "requests",
        "unanswered",
        "answers/s",
        "load",
        "busy",
        "memory",
        "keeps up",
    ]
    rows = [
        [
            three(step.rate),
            *_percentiles(step.latencies),
            seconds(step.latencies.mean),
            seconds(step.latencies.longest),
            f"{step.latencies.count:,}",
            f"{step.latencies.count - step.latencies.answered:,}",
            three(step.throughput),
            percent(step.load),
            percent(step.utilisation),
            size(run.recording.peaks.get(step.number)),
            "yes" if step.keeps_up else "<b>no</b>",
        ]
        for step in run.steps
    ]
    return f"<h2>{escape(run.name)}</h2>{_table(head, rows)}"


def _details(run: Measured) -> str:
    rows = []
    for step in run.steps:
        for kind in run.kinds:
            samples = run.of_kind(step.latencies.samples, kind)
            for candidates, some in grouped(samples, lambda sample: sample.candidates).items():
                for pixels, few in grouped(some.samples, lambda sample: sample.pixels).items():
                    cells = [three(step.rate), kind, f"{candidates:,}", f"{pixels:,}" if pixels else "–"]
                    ends = [seconds(few.mean), seconds(few.longest), f"{few.count:,}", f"{few.count - few.answered:,}"]
                    rows.append([*cells, *_percentiles(few), *ends])
    head = ["a second", "kind", "candidates", "pixels", *NAMES, "mean", "max", "requests", "unanswered"]
    return f"<details><summary>{escape(run.name)}: {len(rows)} rows</summary>{_table(head, rows)}</details>"


def _judged(run: Measured) -> str:
    rows = [
        [
            f"{count:,}" if count else "all",
            "–" if good.ndcg is None else f"{good.ndcg:.3f}",
            "–" if good.mrr is None else f"{good.mrr:.3f}",
            f"{good.queries:,}",
            *_percentiles(latencies),
        ]
        for count, (latencies, good) in run.qualities().items()
    ]
    if not rows:
        return ""
    title = f"{escape(run.name)}, at {short(run.chosen.rate)} a second"
    return f"<h3>{title}</h3>" + _table(["candidates", "nDCG@10", "MRR@10", "queries", *NAMES], rows)


def _failures(run: Measured) -> str:
    reasons = Latencies(run.recording.samples).reasons
    if not reasons:
        return ""
    rows = [[escape(reason), f"{count:,}"] for reason, count in reasons.most_common()]
    return f"<h3>{escape(run.name)}: requests that were not answered</h3>" + _table(["reason", "requests"], rows)
