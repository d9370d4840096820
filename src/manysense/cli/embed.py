"""`manysense embed`: files, folders, globs or lines of stdin in; vectors in a file out.

Knows: its options, the order of the checks, what is said at the end. Does not know: what an input is (gather.py), how
work is cut and kept (work.py, journal.py), formats (results.py).
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .. import __version__
from ..errors import ItemError, UsageError
from .say import SOME_FAILED, Debug, Device, Json, ModelName, answering, count, facts, merged, note

if TYPE_CHECKING:
    from ..sentence_transformer.model import SentenceTransformer
    from .gather import Entry, Gathered
    from .journal import Journal
    from .models import Chosen
    from .work import Outcome, Wish

SHOWN = 3
"""Failed inputs that the summary names; --json names all."""


@dataclass(frozen=True, slots=True)
class Task:
    """What the caller asked for, beside how the vectors are wanted."""

    inputs: list[str]
    out: Path
    model: Chosen
    device: str | None
    precision: str
    lines: bool
    overwrite: bool

    @property
    def journal(self) -> Path:
        return self.out.with_name(self.out.name + ".part")


def embed(
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs, URLs, or - for a text a line of stdin.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The result: .npz, .jsonl or .parquet.")],
    model: ModelName = None,
    device: Device = None,
    precision: Annotated[str, typer.Option(help="float32, int8, uint8, binary or ubinary.")] = "float32",
    normalize: Annotated[bool, typer.Option("--normalize", help="Vectors of length 1.")] = False,
    truncate_dim: Annotated[int | None, typer.Option(help="Keep only the first dimensions.")] = None,
    prompt: Annotated[str | None, typer.Option(help="A text put before every text.")] = None,
    prompt_name: Annotated[str | None, typer.Option(help="One of the model's own prompts.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="At most so many items at once; it changes no vector.")] = None,
    on_error: Annotated[str, typer.Option(help="raise: stop at a broken input; skip: leave it out.")] = "raise",
    on_truncate: Annotated[str, typer.Option(help="Inputs over the model's limit: warn, error or ignore.")] = "warn",
    lines: Annotated[bool, typer.Option("--lines", help="Text files give an item a line, not one a file.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the result, or another run's rest.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Embed files and texts into one file of vectors.

    Folders are walked, sorted, hidden files skipped. A run that was killed or interrupted goes on when the same command
    is given again: what is finished lies in OUT.part, a chunk of 256 texts (64 pictures, 32 sounds, 8 clips) a file,
    and the result has the same bits as that of an undisturbed run.
    """
    with answering(debug):
        from .models import chosen
        from .work import Wish

        wish = Wish(normalize, truncate_dim, prompt, prompt_name, on_truncate, batch_size, on_error)
        task = Task(inputs, out, chosen(model), device, precision, lines, overwrite)
        failed = _embed(task, wish, json)
    if failed:
        raise typer.Exit(SOME_FAILED)


def _embed(task: Task, wish: Wish, json: bool) -> bool:
    """Whether some inputs failed."""
    found = _checked(task, wish)
    from .models import KINDS, load, readable

    network, folder = load(task.model, task.device)
    found = found.readable(readable(network))
    if not found.entries:
        reads = ", ".join(KINDS[kind] for kind in readable(network))
        raise UsageError(f"nothing to embed: this model reads {reads}{left_out_words(found.left_out)}")
    if task.model.note:
        note(f"{task.model.label}: {task.model.note}")
    began = time.perf_counter()
    outcome, dims = _run(task, wish, network, folder, found.entries)
    report = _report(task, found, outcome, dims, time.perf_counter() - began)
    for text in report["warnings"]:
        note(f"note: {text}", "yellow")
    typer.echo(_summary(report), err=json)
    if json:
        facts(report)
    return bool(outcome.failed)


def _checked(task: Task, wish: Wish) -> Gathered:
    """Everything that can be known before the model is loaded."""
    from ..settings import choose
    from . import journal
    from .gather import gather
    from .results import writer_for

    choose("--precision", task.precision, ("float32", "int8", "uint8", "binary", "ubinary"))
    choose("--on-error", wish.on_error, ("raise", "skip"))
    choose("--on-truncate", wish.on_truncate, ("warn", "error", "ignore"))
    writer_for(task.out)
    if task.out.is_dir():
        raise UsageError(f"--out {str(task.out)!r} is a folder")
    if not task.out.parent.is_dir():
        raise UsageError(f"--out {str(task.out)!r}: there is no folder {str(task.out.parent)!r}")
    if task.out.exists() and not task.overwrite and not journal.exists(task.journal):
        raise UsageError(f"{task.out} is there already; --overwrite replaces it")
    return gather(task.inputs, lines=task.lines, read_stdin=stdin, never=(task.out, task.journal))


def stdin() -> bytes:
    if sys.stdin.isatty():
        note("texts, one a line; Ctrl-D ends them")
    return sys.stdin.buffer.read()


def _run(
    task: Task, wish: Wish, network: SentenceTransformer, folder: Path, entries: list[Entry]
) -> tuple[Outcome, int]:
    from ..progress import bar
    from .journal import Journal, Manifest
    from .models import identity
    from .work import check, chunk_size, cut, work

    check(network, wish)
    size = chunk_size()
    settings: dict[str, Any] = {
        "manysense": __version__,
        "model": task.model.label,
        "files of the model": identity(folder),
    }
    settings |= {"chunk": size, **wish.settings()}
    manifest = Manifest(settings, [entry.id for entry in entries])
    chunks = cut(entries, size)
    journal = Journal.open(task.journal, manifest, overwrite=task.overwrite)
    try:
        with bar("Embedding", len(entries), True) as advance:
            outcome = work(network, entries, chunks, journal, wish, advance)
        dims = _write(task, wish, network, journal, len(chunks), [entries[row].id for row in outcome.rows])
        journal.remove()
    except (ItemError, KeyboardInterrupt) as error:
        _stopped(error, task, journal, chunks)
        raise
    finally:
        journal.close()
    return outcome, dims


def _stopped(error: BaseException, task: Task, journal: Journal, chunks: list[range]) -> None:
    """Say how to go on; a journal that holds nothing goes."""
    kept = sum(len(span) for number, span in enumerate(chunks) if number in journal)
    if not kept:
        journal.remove()
    onward = f"{kept:,} finished ones are kept in {task.journal}: the same command goes on from there"
    if isinstance(error, ItemError):
        error.hint = "Leave broken inputs out with --on-error skip" + (f"; {onward}." if kept else ".")
    elif kept:
        note(onward)


def _write(task: Task, wish: Wish, network: SentenceTransformer, journal: Journal, chunks: int, ids: list[str]) -> int:
    """The result, whole or not at all. Returns the dimensions of its vectors."""
    from .journal import UNFINISHED, write_whole
    from .results import writer_for
    from .work import result_of

    result = result_of(journal, chunks, ids, task.precision, network)
    dims = result.metadata["dims"]
    result.metadata.update(
        model=task.model.label, precision=task.precision, items=len(ids), **wish.settings(), manysense=__version__
    )
    write = writer_for(task.out)
    write_whole(task.out, lambda file: write(file, result), by=task.journal / f"result{UNFINISHED}")
    return int(dims)


def _report(task: Task, found: Gathered, outcome: Outcome, dims: int, seconds: float) -> dict[str, Any]:
    """The facts that --json gives and the summary is made of."""
    return {
        "out": str(task.out),
        "model": task.model.label,
        "items": len(outcome.rows),
        "dims": dims,
        "precision": task.precision,
        "embedded": outcome.done,
        "kept_from_before": outcome.kept,
        "seconds": round(seconds, 3),
        "items_per_second": round(outcome.done / seconds, 1) if outcome.done else None,
        "failed": [{"id": found.entries[i].id, "reason": why} for i, why in sorted(outcome.failed.items())],
        "left_out": dict(sorted(found.left_out.items())),
        "warnings": merged(outcome.said),
    }


def _summary(report: dict[str, Any]) -> str:
    speed = f", {report['items_per_second']:,.0f} items/s" if report["items_per_second"] else ""
    kept = f" ({report['kept_from_before']:,} finished before)" if report["kept_from_before"] else ""
    shape = f"{report['items']:,} × {report['dims']} {report['precision']}"
    text = f"{count(report['items'], 'item')} in {report['seconds']:.1f} s{speed}{kept} → {report['out']} ({shape})"
    failed = report["failed"]
    if failed:
        text += f"\n  {len(failed):,} failed:"
        text += "".join(f"\n    {named(one)}" for one in failed[:SHOWN])
        text += f"\n    and {len(failed) - SHOWN:,} more; --json lists all" if len(failed) > SHOWN else ""
    return text + left_out_words(Counter(report["left_out"]))


def named(failure: dict[str, str]) -> str:
    named = failure["reason"] if failure["id"] in failure["reason"] else f"{failure['id']}: {failure['reason']}"
    width = max(40, shutil.get_terminal_size().columns - 6)
    return named if len(named) <= width else named[: width - 1] + "…"


def left_out_words(reasons: Counter[str]) -> str:
    from .models import KINDS

    said = []
    for reason, number in reasons.most_common():
        if reason in KINDS:
            said.append(f"{count(number, KINDS[reason])} (this model does not read them)")
        elif reason.startswith("unknown"):
            said.append(f"{count(number, 'file')} of an unknown kind{reason.removeprefix('unknown')}")
        else:
            said.append(f"{number:,} named twice" if reason == "named twice" else count(number, reason))
    return f"\n  left out: {'; '.join(said)}" if said else ""
