"""`manysense bench`: how late a reranker answers under load, and the report of it.

Knows: options, progress, what is said at the end, which file is written where. Does not know: how a load is made or
summed up (the package bench).
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ManysenseError, UsageError
from .say import SOME_FAILED, Debug, Device, Json, answering, count, facts, hearing, merged, note

if TYPE_CHECKING:
    from rich.table import Table

    from ..bench.figures import Measured
    from ..bench.measure import Event, Plan
    from ..bench.raw import Recording
    from ..bench.stats import Estimate
    from ..bench.summary import Summary
    from ..bench.targets import Target, Wanted
    from ..bench.workload import Workload

bench = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Measure how late a reranker answers under load.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
TARGETS = """\b
TARGET is one of
  manysense:NAME                our CrossEncoder: a folder or a Hub name
  sentence-transformers:NAME    that of Sentence Transformers
  embeddings:NAME               our SentenceTransformer, as the baseline
  http://127.0.0.1:8080/rerank  an endpoint on this machine
  stub:20ms                     no model: 20 ms, to see what the queue does"""
DEFAULT_CANDIDATES = (10,)


@dataclass(frozen=True, slots=True)
class Material:
    """Where requests come from, as the caller said it."""

    folder: Path | None
    judgements: Path | None
    candidates: str | None
    pixels: str
    words: int
    pool: int


@bench.command(epilog=TARGETS)
def rerank(
    target: Annotated[str, typer.Argument(help="What is measured; see below.")],
    rates: Annotated[
        str | None,
        typer.Option(help="Requests a second, as 1,2,4; without it, the rate is searched at which it falls behind."),
    ] = None,
    requests: Annotated[int, typer.Option(help="At each rate; p99 needs 368 of them.")] = 400,
    arrivals: Annotated[str, typer.Option(help="poisson, as of many users, or constant.")] = "poisson",
    candidates: Annotated[str | None, typer.Option(help="Documents of a request, as 10,50.", show_default="10")] = None,
    pixels: Annotated[str, typer.Option(help="Of a document's picture, as 0,250000; 0 is text.")] = "0",
    words: Annotated[int, typer.Option(help="Of a text.")] = 120,
    pool: Annotated[int, typer.Option(help="Different documents of each kind that are drawn from.")] = 64,
    folder: Annotated[Path | None, typer.Option(help="Draw documents from these files instead.")] = None,
    judgements: Annotated[
        Path | None, typer.Option(help='JSON lines {"query", "documents", "relevance"}: quality is measured too.')
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Calls at a time.", show_default="1; 32 for an endpoint")] = None,
    patience: Annotated[float, typer.Option(help="Seconds that a request waits before it is dropped.")] = 60.0,
    warm_up: Annotated[int, typer.Option(help="Requests of each kind and size before it counts.")] = 2,
    seed: Annotated[int, typer.Option(help="Of requests and arrivals.")] = 0,
    out: Annotated[Path, typer.Option("--out", "-o", help="The report; its raw data go beside it, as .jsonl.")] = Path(
        "manysense-bench.html"
    ),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace them.")] = False,
    form: Annotated[str, typer.Option(help="Of an endpoint's JSON: documents, or texts (TEI).")] = "documents",
    served_name: Annotated[str | None, typer.Option(help="The model's name at the endpoint.")] = None,
    timeout: Annotated[float, typer.Option(help="Seconds that an endpoint's answer may take.")] = 60.0,
    allow_remote: Annotated[bool, typer.Option("--allow-remote", help="Also endpoints on other machines.")] = False,
    pid: Annotated[int | None, typer.Option(help="The endpoint's process, to see its memory.")] = None,
    device: Device = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Send queries with candidates to a reranker at a given rate, and measure how late the answers come.

    Latency counts from the moment at which a request was scheduled, so the time in the queue is in it. Ctrl-C ends it
    early and keeps what was measured.
    """
    with answering(debug):
        from ..bench.measure import Plan
        from ..bench.targets import Wanted

        plan = Plan(_numbers("--rates", rates, float), requests, arrivals, patience, warm_up, seed)
        wanted = Wanted(device, workers, form, served_name, timeout, allow_remote, pid, seed)  # type: ignore[arg-type]
        material = Material(folder, judgements, candidates, pixels, words, pool)
        failed = _rerank(target, wanted, material, plan, _places(out, overwrite), json)
    if failed:
        raise typer.Exit(SOME_FAILED)


@bench.command()
def report(
    recordings: Annotated[list[Path], typer.Argument(help="Raw data of one run or more: .jsonl files.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The report.")] = Path("manysense-bench.html"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace it.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Make the report again from raw data, or one report of several runs, to compare them."""
    with answering(debug):
        if out.exists() and not overwrite:
            raise UsageError(f"{out} is there already; --overwrite replaces it")
        _show(recordings, out, json)


# ---- before it begins


def _numbers(option: str, text: str | None, kind: type[Any]) -> tuple[Any, ...]:
    try:
        return tuple(kind(part) for part in (text or "").split(",") if part.strip())
    except ValueError:
        raise UsageError(f"{option} is a list of numbers, as 1,2,4; got {text!r}") from None


def _places(out: Path, overwrite: bool) -> tuple[Path, Path]:
    """(report, raw data)."""
    if out.suffix != ".html":
        raise UsageError(f"--out {str(out)!r}: the report is an .html file")
    if not out.parent.is_dir():
        raise UsageError(f"--out {str(out)!r}: there is no folder {str(out.parent)!r}")
    raw = out.with_suffix(".jsonl")
    for path in (out, raw):
        if path.exists() and not overwrite:
            raise UsageError(f"{path} is there already; --overwrite replaces it, --out names another")
    return out, raw


@contextlib.contextmanager
def _workload(material: Material, seed: int) -> Iterator[Workload]:
    """Pictures that it needs are there as long as the context is."""
    from ..bench.folder import from_folder
    from ..bench.generated import generated
    from ..bench.judged import from_judgements

    candidates = _numbers("--candidates", material.candidates, int)
    if material.folder is not None and material.judgements is not None:
        raise UsageError("--folder and --judgements are two sources; name one")
    if material.judgements is not None:
        yield from_judgements(material.judgements, candidates)
    elif material.folder is not None:
        yield from_folder(material.folder, candidates or DEFAULT_CANDIDATES)
    else:
        with tempfile.TemporaryDirectory(prefix="manysense-bench-") as pictures:
            yield generated(
                candidates or DEFAULT_CANDIDATES,
                _numbers("--pixels", material.pixels, int) or (0,),
                Path(pictures),
                words=material.words,
                pool=material.pool,
                seed=seed,
            )


# ---- the run


def _rerank(name: str, wanted: Wanted, material: Material, plan: Plan, places: tuple[Path, Path], json: bool) -> bool:
    """Whether a request failed."""
    from ..bench.targets import open_target

    out, raw = places
    with _workload(material, plan.seed) as workload:
        stopped: BaseException | None = None
        with hearing() as said:
            target = open_target(name, wanted)
            try:
                _record(target, workload, plan, raw)
            except (KeyboardInterrupt, ManysenseError) as error:
                stopped = error
    for warning in merged(said):
        note(f"note: {warning}", "yellow")
    from ..bench.raw import read

    if stopped is not None and not read(raw).samples:
        raw.unlink()
        raise stopped
    failed = _show([raw], out, json)
    if stopped is not None:
        note(f"ended early; what was measured is in {out} and {raw}", "yellow")
        raise stopped
    return failed


def _record(target: Target, workload: Workload, plan: Plan, raw: Path) -> None:
    from ..bench.clock import WallClock
    from ..bench.measure import measure
    from ..bench.raw import FINISHED, Writer

    with raw.open("w", encoding="utf-8") as file:
        writer = Writer(file)
        writer.begin(target, workload, plan)
        reason = FINISHED
        try:
            for event in _shown(measure(target, workload, plan, WallClock()), target.workers):
                writer.add(event)
        except KeyboardInterrupt:
            reason = "interrupted"
            raise
        except BaseException as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise
        finally:
            writer.end(reason)


def _shown(events: Generator[Event, None, None], workers: int) -> Iterator[Event]:
    """The events, with a bar for each step and a line when it ends."""
    from ..bench.load import Sample, Step
    from ..bench.summary import summary
    from ..bench.units import three
    from ..progress import bar

    with contextlib.closing(events):
        for step in events:
            assert isinstance(step, Step)
            yield step
            title = f"{three(step.rate)} a second" if step.rate else "warm-up"
            samples: list[Sample] = []
            with bar(title, len(step.requests), show=True) as advance:
                for event in events:
                    yield event
                    if not isinstance(event, Sample):
                        break
                    samples.append(event)
                    advance(1)
            if step.rate:
                note(_line(summary(samples, workers)))


def _line(step: Summary) -> str:
    from ..bench.units import estimate, percent, three

    median = estimate(step.latencies.percentiles[0])
    end = "" if step.keeps_up else ", falls behind"
    return f"{three(step.rate)} a second: p50 {median}, load {percent(step.load)}{end}"


# ---- the answer


def _show(raws: Sequence[Path], out: Path, json: bool) -> bool:
    """Write the report and say what is in it. Whether a request failed."""
    from ..bench.figures import Measured
    from ..bench.page import write
    from ..bench.raw import read

    recordings = [read(raw) for raw in raws]
    empty = [str(raw) for raw, recording in zip(raws, recordings) if not recording.samples]
    if empty:
        raise UsageError(f"{empty[0]} holds no request beyond the warm-up")
    named = list(zip(_names(raws, recordings), recordings))
    write(named, out)
    runs = [Measured(name, recording) for name, recording in named]
    if json:
        facts({"report": str(out), "runs": [_facts(run, str(raw)) for run, raw in zip(runs, raws)]})
    else:
        _print(runs)
        many = ", ".join(map(str, raws))
        typer.echo(f"\nthe report: {out} · raw data: {many}")
    return any(not sample.answered for run in runs for sample in run.recording.samples)


def _names(raws: Sequence[Path], recordings: Sequence[Recording]) -> list[str]:
    """The target of each, and its file's name where a target comes twice."""
    targets = [str(recording.about["target"]) for recording in recordings]
    return [t if targets.count(t) == 1 else f"{t} ({raw.stem})" for t, raw in zip(targets, raws)]


def _print(runs: Sequence[Measured]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for run in runs:
        samples = run.recording.samples
        console.print(f"{run.name}: {count(len(samples), 'request')}", style="bold", markup=False)
        console.print(_table(run))
        for words in _remarks(run):
            console.print(f"  {words}", style="dim", markup=False)


def _table(run: Measured) -> Table:
    from rich.table import Table

    from ..bench.figures import NAMES
    from ..bench.units import estimate, interval, percent, size, three

    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("a second", *NAMES, "load", "memory", ""):
        table.add_column(head, justify="right", no_wrap=True)
    for step in run.steps:
        lost = step.latencies.count - step.latencies.answered
        ends = ["" if step.keeps_up else "falls behind", f"{lost:,} unanswered" if lost else ""]
        table.add_row(
            three(step.rate),
            *(f"{estimate(one)}\n[dim]{interval(one)}[/]" for one in step.latencies.percentiles),
            percent(step.load),
            size(run.recording.peaks.get(step.number)),
            "\n".join(end for end in ends if end),
        )
    return table


def _remarks(run: Measured) -> Iterable[str]:
    from ..bench.stats import needed
    from ..bench.summary import LEVELS, Latencies
    from ..bench.sweep import bounds
    from ..bench.units import three

    low, high = bounds([(step.rate, step.keeps_up) for step in run.steps])
    if low is not None and high is not None:
        yield f"keeps up at {three(low)} a second, falls behind at {three(high)}"
    missing = [level for level, one in zip(LEVELS, run.steps[0].latencies.percentiles) if not one.supported]
    for level in missing:
        yield f"p{level * 100:g} needs {needed(level)} requests at each rate; see --requests"
    for reason, number in Latencies(run.recording.samples).reasons.most_common(3):
        yield f"{count(number, 'request')}: {reason}"
    for candidates, (_, good) in run.qualities().items():
        if good.ndcg is not None and good.mrr is not None:
            among = f"of {candidates} candidates: " if candidates else ""
            yield f"{among}nDCG@10 {good.ndcg:.3f}, MRR@10 {good.mrr:.3f}, judged queries: {good.queries:,}"


def _facts(run: Measured, raw: str) -> dict[str, Any]:
    steps = [
        {
            "rate": step.rate,
            **{name: _json(value) for name, value in zip(("p50", "p95", "p99"), step.latencies.percentiles)},
            "mean": _finite(step.latencies.mean),
            "max": _finite(step.latencies.longest),
            "requests": step.latencies.count,
            "answered": step.latencies.answered,
            "dropped": step.latencies.dropped,
            "reasons": dict(step.latencies.reasons),
            "throughput": _finite(step.throughput),
            "load": _finite(step.load),
            "utilisation": _finite(step.utilisation),
            "peak_memory": run.recording.peaks.get(step.number),
            "keeps_up": step.keeps_up,
        }
        for step in run.steps
    ]
    quality = [
        {"candidates": count or None, "ndcg@10": good.ndcg, "mrr@10": good.mrr, "queries": good.queries}
        for count, (_, good) in run.qualities().items()
    ]
    return {"target": run.name, "raw": raw, "ended": run.recording.ended, "rates": steps, "quality": quality}


def _json(one: Estimate) -> dict[str, Any] | None:
    """Seconds; None for a percentile that too few requests support, and for one that was never reached."""
    return (
        {"seconds": _finite(one.value), "low": _finite(one.low), "high": _finite(one.high)} if one.supported else None
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
