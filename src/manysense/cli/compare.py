"""`manysense compare A B C…`: how alike any inputs are, as a table for a person.

Knows: the table, its width, ranks. Does not know: what an input is (that is the library's rule, by form alone), how
scores come about.

Values of different pairs of modalities do not compare, so a rank counts only the columns of one kind: for each row, the
pictures among themselves, the texts among themselves.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import AmbiguousInput, ItemError, UnsupportedModality, UsageError
from .say import Debug, Device, Json, ModelName, answering, facts, hearing, merged, note

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from .models import Chosen

LABEL, HEAD = 28, 20
"""Widest label of a row, widest head of a column, in cells of the terminal."""
WIDE = 80
"""From this width of the terminal there is room for the kind of each row."""


@dataclass(frozen=True, slots=True)
class Compared:
    """names, kinds: of the inputs, in the order of the table.  scores, ranks: (n, n); a rank is (place, of how many),
    None on the diagonal and where a kind has only one other input.
    """

    names: list[str]
    kinds: list[str]
    scores: list[list[float]]
    similarity: str
    seconds: float

    @property
    def ranks(self) -> list[list[tuple[int, int] | None]]:
        return [[self._rank(row, column) for column in range(len(self.names))] for row in range(len(self.names))]

    def _rank(self, row: int, column: int) -> tuple[int, int] | None:
        rivals = [c for c, kind in enumerate(self.kinds) if kind == self.kinds[column] and c != row]
        if column == row or len(rivals) < 2:
            return None
        mine = self.scores[row][column]
        return 1 + sum(self.scores[row][c] > mine for c in rivals), len(rivals)


def compare(
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Texts, paths, URLs: what each is, its form decides.")
    ] = None,
    text: Annotated[list[str] | None, typer.Option(help="An input that is text, whatever its form.")] = None,
    image: Annotated[list[str] | None, typer.Option(help="An input that is a picture.")] = None,
    audio: Annotated[list[str] | None, typer.Option(help="An input that is sound.")] = None,
    video: Annotated[list[str] | None, typer.Option(help="An input that is a clip.")] = None,
    model: ModelName = None,
    device: Device = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Compare any inputs with each other.

    Each cell is the similarity of its row and its column, with the rank among the columns of that kind: 1/3 is the
    closest of three. Values of different kinds do not compare.
    """
    with answering(debug):
        from ..inputs.types import Audio, Image, Text, Video
        from .models import chosen

        values: list[Any] = list(inputs or [])
        for wrapper, given in ((Text, text), (Image, image), (Audio, audio), (Video, video)):
            values += [wrapper(value) for value in given or []]
        if len(values) < 2:
            raise UsageError("compare needs two inputs or more")
        named = chosen(model)
        compared = _compared(values, named, device)
        if json:
            facts(_facts(compared, named))
        elif len(values) == 2:
            typer.echo(_line(compared, named))
        else:
            _print(compared, named)
        if named.note:
            note(f"{named.label}: {named.note}")


def _compared(values: list[Any], named: Chosen, device: str | None) -> Compared:
    import torch

    from .models import load

    network, _ = load(named, device)
    kinds = _kinds(network, values)
    order = sorted(range(len(values)), key=lambda i: ("text", "image", "audio", "video").index(kinds[i]))
    names = [str(getattr(values[i], "value", values[i])) for i in order]
    began = time.perf_counter()
    try:
        with hearing() as said:
            vectors = network.encode([values[i] for i in order], convert_to_tensor=True, show_progress_bar=False)
    except ItemError as error:
        error.index, error.hint = None, None  # the table's order is not the caller's, and hints are for programs
        raise
    for warning in merged(said):
        note(f"note: {warning}", "yellow")
    scores = network.similarity(vectors, vectors).to(torch.float32).tolist()
    seconds = time.perf_counter() - began
    made = Compared(names, [kinds[i] for i in order], scores, network.similarity_fn_name, seconds)
    _warn_of_files([values[i] for i in order], made)
    return made


def _kinds(network: Any, values: Sequence[Any]) -> list[str]:
    """The modality of each input, by the library's own rule."""
    from ..inputs.parse import Parser
    from ..media.reader import peek
    from .models import readable

    parse = Parser(frozenset(readable(network)), peek(network.policy))  # type: ignore[arg-type]
    try:
        return [parse(value).parts[0].modality for value in values]
    except AmbiguousInput as error:
        error.hint = "Say what it is: --image, --audio or --video to open it, --text for the words themselves."
        raise
    except UnsupportedModality as error:
        error.hint = "Name another model with --model, or compare the words themselves with --text."
        raise


def _warn_of_files(values: list[Any], compared: Compared) -> None:
    """Existence decides nothing; but a file that was read as its name is seldom what was meant."""
    for value, name, kind in zip(values, compared.names, compared.kinds):
        if kind == "text" and isinstance(value, str) and len(name) < 256 and os.path.isfile(name):
            note(f"note: {name!r} was compared as these words; the file of that name was not opened", "yellow")


# ---- for machines


def _facts(compared: Compared, named: Chosen) -> dict[str, Any]:
    return {
        "model": named.label,
        "similarity": compared.similarity,
        "seconds": round(compared.seconds, 3),
        "inputs": [{"input": name, "kind": kind} for name, kind in zip(compared.names, compared.kinds)],
        "scores": compared.scores,
        "ranks": [
            [None if rank is None else {"rank": rank[0], "of": rank[1]} for rank in row] for row in compared.ranks
        ],
    }


# ---- for people


def _said(kind: str) -> str:
    from .models import KINDS

    return KINDS[kind]


def _line(compared: Compared, named: Chosen) -> str:
    one, two = (f"{name} ({_said(kind)})" for name, kind in zip(_labels(compared, 40), compared.kinds))
    score = compared.scores[0][1]
    return f"{score:.2f}  {one} · {two}   {compared.similarity} · {named.label} · {compared.seconds:.1f} s"


def _print(compared: Compared, named: Chosen) -> None:
    """The table, with names over the columns where they fit and numbers where not, in blocks of as many columns as
    fit; then the footer."""
    from rich.cells import cell_len
    from rich.console import Console

    console = Console(highlight=False)
    wide = console.width >= WIDE
    labels, heads = _labels(compared, LABEL if wide else console.width // 4), _labels(compared, HEAD)
    narrowest, fitting = _narrowest(compared), len(heads)
    room = console.width - 2 - max(map(cell_len, labels)) - (9 if wide else 0)
    if sum(2 + max(narrowest, cell_len(head)) for head in heads) > room:
        heads = [str(number) for number in range(1, len(labels) + 1)]
        labels = [f"{number:>{len(heads[-1])}} {label}" for number, label in zip(heads, labels)]
        fitting = max(1, (room - len(heads[-1]) - 1) // (2 + narrowest))
    for first in range(0, len(heads), fitting):
        console.print(_block(compared, heads, labels, range(first, min(first + fitting, len(heads))), wide))
    console.print(_footer(compared, named, console.width), style="dim", markup=False)


def _narrowest(compared: Compared) -> int:
    """Cells that a column needs for its values, and for the name of its kind."""
    together = zip(compared.scores, compared.ranks)
    cells = [len(_cell(score, rank, False)) for row in together for score, rank in zip(*row)]
    return max([*cells, *(len(_said(kind)) for kind in compared.kinds)])


def _block(compared: Compared, heads: list[str], labels: list[str], columns: range, wide: bool) -> Table:
    """wide: say the kind of each row too; it is that of the column of the same name."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 2), show_header=False)
    left = 2 if wide else 1
    for column in range(left + len(columns)):
        table.add_column(no_wrap=True, justify="left" if column < left else "right")
    table.add_row(*[""] * left, *(Text(_said(compared.kinds[c]), style="dim") for c in columns))
    table.add_row(*[""] * left, *(Text(heads[c], style="bold") for c in columns))
    ranks = compared.ranks
    for row, label in enumerate(labels):
        cells = [_cell(compared.scores[row][c], ranks[row][c], c == row) for c in columns]
        named = [Text(f"  {label}"), Text(_said(compared.kinds[row]), style="dim")]
        table.add_row(*named[:left], *cells)
    return table


def _cell(score: float, rank: tuple[int, int] | None, itself: bool) -> Text:
    from rich.text import Text

    if itself:
        return Text("·", style="dim")
    shown = Text(f"{score:.2f}", style="bold" if rank and rank[0] == 1 else "")
    return shown.append(f" {rank[0]}/{rank[1]}", style="dim") if rank else shown


def _footer(compared: Compared, named: Chosen, width: int) -> str:
    kinds = list(dict.fromkeys(compared.kinds))
    counted = f"{len(kinds)} modalities" if len(kinds) > 1 else f"{_said(kinds[0])}s only"
    left = f"{counted} · {named.label} · {compared.similarity} · {compared.seconds:.1f} s"
    right = "values compare within a column kind, see docs/scores.md"
    lines = [left + right.rjust(width - len(left))] if len(left) + len(right) + 4 <= width else [left, right]
    for rank, kind in sorted(_ranked(compared), key=lambda one: (one[0][0], -one[0][1]))[:1]:
        lines.insert(0, f"{rank[0]}/{rank[1]}: rank {rank[0]} of {rank[1]} {_said(kind)}s in its row")
    return "\n".join(lines)


def _ranked(compared: Compared) -> list[tuple[tuple[int, int], str]]:
    ranks = compared.ranks
    return [(rank, compared.kinds[c]) for row in ranks for c, rank in enumerate(row) if rank is not None]


def _labels(compared: Compared, width: int) -> list[str]:
    """What a person recognises the inputs by, in at most `width` cells: of a file its name, or its path where two
    files have the same name, cut at its beginning; of a text its beginning."""
    files = [re.split(r"[/\\]", name)[-1] for name in compared.names]
    made = []
    for name, file, kind in zip(compared.names, files, compared.kinds):
        if kind == "text":
            made.append(_cut(" ".join(name.split()), width))
        else:
            made.append(_cut((file if files.count(file) == 1 else name)[::-1], width)[::-1])
    return made


def _cut(text: str, width: int) -> str:
    from rich.cells import cell_len, set_cell_size

    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
