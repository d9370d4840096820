"""`python -m manysense.compat check script.py …`: what of a script's use of the known library is covered here.

    0    everything is covered; what differs is said
    1    something is not here yet
    2    wrong usage: no such file, no Python

Scripts are read, never imported or run. Knows: files, the table, exit codes. Does not know: how scripts are read
(reading.py), what is covered (verdicts.py).
"""

from __future__ import annotations

import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..cli.say import Debug, Json, answering, count, facts, paint
from ..errors import UsageError
from .reading import uses

if TYPE_CHECKING:
    from .verdicts import Verdict

COLOURS = {"covered": "dim", "differs": "yellow", "not yet": "red", "unknown": "red"}
BAD = ("not yet", "unknown")
WIDEST = 60
"""Characters of a use that are aligned; longer ones push their verdict to the right."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root() -> None:
    """Move programs from Sentence Transformers to manysense."""


@app.command()
def check(
    scripts: Annotated[list[Path], typer.Argument(help="Python files, or folders of them.", show_default=False)],
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List each use of sentence_transformers in scripts: covered, differs, not yet. Nothing is imported or run."""
    with answering(debug):
        found = {str(file): list(_verdicts(file)) for file in _files(scripts)}
        totals = dict.fromkeys(COLOURS, 0) | Counter(one.status for verdicts in found.values() for one in verdicts)
        if json:
            files = {file: [asdict(one) for one in verdicts] for file, verdicts in found.items()}
            facts({"files": files, "totals": totals})
        else:
            for file, verdicts in found.items():
                _show(file, verdicts)
            _sum_up(len(found), totals)
    if any(totals[status] for status in BAD):
        raise typer.Exit(1)


def _files(scripts: Sequence[Path]) -> Iterator[Path]:
    for given in scripts:
        if given.is_dir():
            inside = (path.relative_to(given) for path in given.rglob("*.py"))
            hidden = (path for path in inside if not any(part.startswith(".") for part in path.parts))
            yield from sorted(given / path for path in hidden if "site-packages" not in path.parts)
        elif given.is_file():
            yield given
        else:
            raise UsageError(f"there is no file {str(given)!r}")


def _verdicts(file: Path) -> Iterator[Verdict]:
    try:
        with tokenize.open(file) as opened:
            found = uses(opened.read(), str(file))
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        raise UsageError(f"{file} is no Python that can be read: {error}") from error
    if found:
        from .verdicts import verdicts  # loads torch

        for use in found:
            yield from verdicts(use)


def _show(file: str, verdicts: Sequence[Verdict]) -> None:
    if not verdicts:
        return
    typer.echo(paint(file, "bold", sys.stdout))
    width = min(WIDEST, max(len(one.use) for one in verdicts))
    for one in verdicts:
        status = paint(f"{one.status:7}", COLOURS[one.status], sys.stdout)
        typer.echo(f"{one.line:6}  {one.use:{width}}  {status}  {one.note or ''}".rstrip())


def _sum_up(files: int, totals: Mapping[str, int]) -> None:
    parts = ", ".join(f"{number} {status}" for status, number in totals.items() if number)
    told = f"{count(sum(totals.values()), 'use')} of sentence_transformers in {count(files, 'file')}"
    typer.echo(f"{told}: {parts}" if parts else told)


if __name__ == "__main__":
    app(prog_name="python -m manysense.compat")
