"""`manysense rerank QUERY FILES…`: files and texts in the order in which a reranker puts them for a query.

Knows: its options, the table, what is said at the end. Does not know: what a document is (gather.py), how pairs are
scored, how a terminal shows pictures (thumbnails.py).
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ItemError, UsageError
from .say import SOME_FAILED, Debug, Device, Json, answering, count, facts, hearing, merged, note, paint

if TYPE_CHECKING:
    from ..cross_encoder import CrossEncoder
    from ..cross_encoder.rank import Ranking
    from .gather import Entry, Gathered
    from .models import Chosen

VARIABLE = "MANYSENSE_RERANKER"
DEFAULT: str | None = None
"""The model of a command that names none. No reranker ships with the package yet."""
_SUGGESTED = (
    f"Name one with --model or {VARIABLE}: cross-encoder/ms-marco-MiniLM-L6-v2 (text, 91 MB), "
    "Qwen/Qwen3-VL-Reranker-2B (text, pictures, clips, 4.3 GB); docs/reranking.md lists more."
)


@dataclass(frozen=True, slots=True)
class Task:
    """What the caller asked for. how: arguments of `rank` as they are."""

    words: str | None
    query_file: str | None
    inputs: list[str]
    lines: bool
    top: int
    min_score: float | None
    device: str | None
    how: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ranked:
    """ranking: everything that was scored, at least the score that was asked for.  stats: of the call.  said: the
    library's warnings."""

    query: Entry
    documents: list[Entry]
    ranking: Ranking
    stats: dict[str, Any]
    said: list[str]
    scale: str
    seconds: float


def rerank(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY FILES…",
            help="The query, in words; then files, folders, globs, URLs, or - for a text a line of stdin.",
            show_default=False,
        ),
    ],
    query_file: Annotated[
        str | None, typer.Option("--query-file", help="A file or URL that is the query, in place of words.")
    ] = None,
    top: Annotated[int, typer.Option("--top", "-k", help="How many of the best are shown.")] = 5,
    min_score: Annotated[float | None, typer.Option(help="Leave out what scores lower.")] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help=f"A folder or a Hub name; without it {VARIABLE}.", show_default=False),
    ] = None,
    device: Device = None,
    prompt: Annotated[str | None, typer.Option(help="An instruction, where the model takes one.")] = None,
    prompt_name: Annotated[str | None, typer.Option(help="One of the model's own prompts.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="At most so many pairs at once; it changes no score.")] = None,
    on_error: Annotated[str, typer.Option(help="raise: stop at a broken document; skip: leave it out.")] = "raise",
    on_truncate: Annotated[str, typer.Option(help="Pairs over the model's limit: warn, error or ignore.")] = "warn",
    lines: Annotated[bool, typer.Option("--lines", help="Text files give a document a line, not one a file.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Rank documents for a query, best first.

    Scores order the documents of one query and one model; they are no threshold across models. Terminals that show
    pictures (kitty, iTerm2, sixel) show what was found.
    """
    with answering(debug):
        words, files = (None, inputs) if query_file is not None else (inputs[0], inputs[1:])
        how = {"prompt": prompt, "prompt_name": prompt_name, "batch_size": batch_size}
        how |= {"on_error": on_error, "on_truncate": on_truncate}
        task = Task(words, query_file, files, lines, top, min_score, device, how)
        failed = _rerank(task, _chosen(model), json)
    if failed:
        raise typer.Exit(SOME_FAILED)


def _chosen(name: str | None) -> Chosen:
    from .models import chosen

    named = name or os.environ.get(VARIABLE) or DEFAULT
    if named is None:
        raise UsageError(f"rerank needs a reranker, and none ships with the package yet\n  {_SUGGESTED}")
    return chosen(named)


def _rerank(task: Task, named: Chosen, json: bool) -> bool:
    """Whether some documents failed."""
    query, found = _checked(task)
    from .models import KINDS, readable

    network = _load(named, task.device)
    reads = readable(network)
    spoken = ", ".join(KINDS[kind] for kind in reads)
    if query.kind not in reads:
        raise UsageError(f"the query {query.id!r} is of a kind that this model does not read; it reads {spoken}")
    found = found.readable(reads)
    if not found.entries:
        from .embed import left_out_words

        raise UsageError(f"nothing to rank: this model reads {spoken}{left_out_words(found.left_out)}")
    ranked = _ranked(network, task, query, found.entries)
    report = _report(task, named, ranked, found.left_out)
    for text in report["warnings"]:
        note(f"note: {text}", "yellow")
    if json:
        facts(report)
    else:
        _print(report, {entry.id: entry for entry in ranked.documents})
    return bool(report["failed"])


def _checked(task: Task) -> tuple[Entry, Gathered]:
    """The query and the documents: everything that can be known before the model is loaded."""
    from ..inputs.types import Text
    from ..settings import choose, positive
    from .embed import stdin
    from .gather import STDIN, Entry, gather

    choose("--on-error", task.how["on_error"], ("raise", "skip"))
    choose("--on-truncate", task.how["on_truncate"], ("warn", "error", "ignore"))
    positive("--top", task.top)
    if task.query_file == STDIN:
        raise UsageError("--query-file is a file or a URL; a query in words is the first argument")
    if not task.inputs:
        raise UsageError("rerank needs a query and documents:  manysense rerank 'a red circle' photos/")
    if task.words is not None:
        if not task.words.strip():
            raise UsageError("the query is empty")
        if len(task.words) < 256 and os.path.isfile(task.words):
            note(f"note: the query is the words {task.words!r}; --query-file opens the file of that name", "yellow")
        query = Entry(task.words, Text(task.words), "text", "")
    else:
        asked = gather([str(task.query_file)], lines=False, read_stdin=stdin).entries
        if len(asked) != 1:
            raise UsageError(f"--query-file {task.query_file!r} holds {count(len(asked), 'file')}; it must be one")
        (query,) = asked
    return query, gather(task.inputs, lines=task.lines, read_stdin=stdin)


def _load(named: Chosen, device: str | None) -> CrossEncoder:
    from ..checkpoints.source import Source
    from ..cross_encoder import CrossEncoder
    from .models import build

    folder = Source(named.name, organisation=CrossEncoder.organisation).folder()
    made: CrossEncoder = build(lambda: CrossEncoder(folder, device=device), folder)
    return made


def _ranked(network: CrossEncoder, task: Task, query: Entry, documents: list[Entry]) -> Ranked:
    from ..checkpoints.card_words import scale_of

    began = time.perf_counter()
    try:
        with hearing() as said:
            ranking, stats = network.rank(
                query.value,
                [entry.value for entry in documents],
                min_score=task.min_score,
                return_stats=True,
                show_progress_bar=True,
                **task.how,
            )
    except ItemError as error:
        error.hint = None  # hints are for programs
        if error.index is not None:
            name = documents[error.index].id
            error.reason = error.reason if name in error.reason else f"{name}: {error.reason}"
            error.hint = "Leave broken documents out with --on-error skip."
        raise
    return Ranked(query, documents, ranking, asdict(stats), said, scale_of(network), time.perf_counter() - began)


def _report(task: Task, named: Chosen, ranked: Ranked, left_out: Counter[str]) -> dict[str, Any]:
    """The facts that --json gives and the table is made of."""
    failed = [(ranked.documents[error.index or 0].id, error.reason) for error in ranked.ranking.errors]
    return {
        "query": {"input": ranked.query.id, "kind": ranked.query.kind},
        "model": named.label,
        "scores": ranked.scale,
        "documents": len(ranked.documents),
        "hits": [
            _hit(rank, hit["score"], ranked.documents[hit["corpus_id"]])
            for rank, hit in enumerate(ranked.ranking[: task.top], 1)
        ],
        "below_min_score": len(ranked.documents) - len(failed) - len(ranked.ranking),
        "failed": [{"id": name, "reason": reason} for name, reason in failed],
        "left_out": dict(sorted(left_out.items())),
        "warnings": merged(ranked.said),
        "seconds": round(ranked.seconds, 3),
        "stats": ranked.stats,
    }


def _hit(rank: int, score: float, entry: Entry) -> dict[str, Any]:
    """Of a line of text the words as well, which its id does not tell."""
    from ..inputs.types import Text

    words = {"text": entry.value.value} if isinstance(entry.value, Text) else {}
    return {"rank": rank, "id": entry.id, "kind": entry.kind, "score": score, **words}


# ---- for people


def _print(report: dict[str, Any], entries: dict[str, Entry]) -> None:
    from rich.cells import cell_len
    from rich.console import Console

    from .models import KINDS
    from .thumbnails import protocol_of

    width = Console().width
    protocol = protocol_of(os.environ, sys.stdout)
    shown = [(str(hit["rank"]), _score(hit["score"]), KINDS[hit["kind"]], hit) for hit in report["hits"]]
    wide = [max((len(cells[i]) for cells in shown), default=0) for i in range(3)]
    for rank, score, kind, hit in shown:
        left = f"{rank:>{wide[0]}}  {score:>{wide[1]}}  {kind:{wide[2]}}  "
        line = left + _label(hit, max(10, width - cell_len(left)))
        typer.echo(paint(line, "bold", sys.stdout) if rank == "1" else line)
        if protocol is not None:
            _show(entries[hit["id"]], protocol)
    typer.echo(_footer(report, width))


def _score(score: float) -> str:
    """0.988, -11.235; 2.1e-09 where three decimals would show nothing."""
    return f"{score:.1e}" if 0 < abs(score) < 0.001 else f"{score:.3f}"


def _label(hit: dict[str, Any], width: int) -> str:
    """Words and their beginning, or the end of a path."""
    from rich.cells import cell_len, set_cell_size

    if "text" in hit:
        label = f"{' '.join(hit['text'].split())}  ({hit['id']})"
        return label if cell_len(label) <= width else set_cell_size(label, width - 1).rstrip() + "…"
    name: str = hit["id"]
    return name if cell_len(name) <= width else "…" + set_cell_size(name[::-1], width - 1)[::-1].lstrip()


def _show(entry: Entry, protocol: Any) -> None:
    """A thumbnail below the line, of a local file that is no text and whose name says what it is."""
    from pathlib import Path

    from ..inputs.forms import suffix_kind

    if entry.kind == "text" or not isinstance(entry.value, Path) or suffix_kind(entry.value.name) != entry.kind:
        return
    from .sheet import thumbnail
    from .thumbnails import encoded

    with contextlib.suppress(ItemError):  # it was read before; a file that is gone by now has no thumbnail
        typer.echo(encoded(thumbnail(entry.value), protocol))


def _footer(report: dict[str, Any], width: int) -> str:
    from .embed import SHOWN, left_out_words, named

    best = f"{len(report['hits'])} of {count(report['documents'], 'document')}"
    left = f"{best} · {report['model']} · {report['scores']} · {report['seconds']:.1f} s"
    right = "scores of two models do not compare, see docs/reranking.md"
    text = left + right.rjust(width - len(left)) if len(left) + len(right) + 4 <= width else f"{left}\n{right}"
    if report["below_min_score"]:
        text += f"\n  {report['below_min_score']:,} below the lowest score"
    failed = report["failed"]
    if failed:
        text += f"\n  {len(failed):,} failed:" + "".join(f"\n    {named(one)}" for one in failed[:SHOWN])
        text += f"\n    and {len(failed) - SHOWN:,} more; --json lists all" if len(failed) > SHOWN else ""
    return text + left_out_words(Counter(report["left_out"]))
