"""`manysense demo`: ask the sample files in words and with a sound, and draw what came out.

Knows: the questions, where the samples are. Does not know: how the picture of the answers is drawn (sheet.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import UsageError
from ..inputs.forms import is_text_file, suffix_kind
from .say import Debug, Device, Json, ModelName, answering, count, facts, note

if TYPE_CHECKING:
    from .models import Chosen

SHOWN = 3
"""Answers to each question."""


@dataclass(frozen=True, slots=True)
class Question:
    """ask: words, or the name of a sample.  kind: of the files that may answer.  finds: what a person would pick."""

    ask: str
    kind: str
    finds: str

    @property
    def is_file(self) -> bool:
        return suffix_kind(self.ask) is not None


QUESTIONS = (
    Question("a rising line chart", "image", "chart_rising_line.png"),
    Question("what I paid at the supermarket", "image", "receipt.png"),
    Question("a holiday by the sea", "image", "beach.jpg"),
    Question("the skyline at night", "image", "city_at_night.jpg"),
    Question("an automobile", "image", "car.png"),
    Question("something to eat", "image", "pizza.png"),
    Question("an ambulance in a hurry", "audio", "siren.mp3"),
    Question("a thunderstorm", "audio", "thunder.flac"),
    Question("the phone is ringing", "audio", "telephone_ring.wav"),
    Question("somebody says thank you", "audio", "thank_you.wav"),
    Question("fireworks", "video", "fireworks.webm"),
    Question("a yacht on the waves", "video", "sailing_boat_waves.mp4"),
    Question("red_circle.wav", "image", "red_circle.png"),
    Question("alarm_clock.ogg", "image", "clock.png"),
    Question("rain.wav", "image", "umbrella.png"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """files: the best first.  scores: cosines, aligned; comparable within one question only."""

    question: Question
    files: list[Path]
    scores: list[float]


def demo(
    out: Annotated[Path, typer.Option(help="Where the picture of the answers goes.")] = Path("manysense-demo.png"),
    model: ModelName = None,
    device: Device = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Search the sample files in words and with a sound, and draw a contact sheet of the answers."""
    with answering(debug):
        from .models import chosen

        started = time.monotonic()
        named = chosen(model)
        files = samples()
        if named.note:
            note(f"{named.label}: {named.note}")
        answers = ask(QUESTIONS, files, named, device)
        from .sheet import draw

        draw(answers, files[0].parent, out)
        seconds = time.monotonic() - started
        if json:
            facts([_facts(answer) for answer in answers])
        else:
            _show(answers)
            typer.echo(
                f"\n{count(len(files), 'file')} in {seconds:.1f} s · {named.label} · the answers as a picture: {out}"
            )
            typer.echo('Your own: manysense compare "a red circle" drawing.png chime.wav')


def samples() -> list[Path]:
    """The media among the sample files. Raises UsageError where the installation has none."""
    here = Path(__file__).resolve()
    for folder in (here.parents[1] / "samples", here.parents[3] / "samples"):  # a wheel, a clone
        if folder.is_dir():
            return sorted(p for p in folder.iterdir() if suffix_kind(p.name) and not is_text_file(p.name))
    raise UsageError("this installation has no sample files; reinstall manysense, or work in a clone of its repository")


def ask(questions: Sequence[Question], files: Sequence[Path], named: Chosen, device: str | None) -> list[Answer]:
    """Every file and question is embedded once."""
    from .models import load

    encoder, _ = load(named, device)
    vectors = encoder.encode_document(list(files))
    row = {path.name: vector for path, vector in zip(files, vectors)}
    asked = encoder.encode_query([q.ask for q in questions if not q.is_file])
    words = iter(asked)
    queries = [row[q.ask] if q.is_file else next(words) for q in questions]
    return [_answer(q, query, files, vectors) for q, query in zip(questions, queries)]


def _answer(question: Question, query: Any, files: Sequence[Path], vectors: Any) -> Answer:
    scores = vectors @ query
    right = [i for i, path in enumerate(files) if suffix_kind(path.name) == question.kind]
    best = sorted(right, key=lambda i: -scores[i])[:SHOWN]
    return Answer(question, [files[i] for i in best], [float(scores[i]) for i in best])


def _facts(answer: Answer) -> dict[str, Any]:
    found = [{"file": path.name, "score": score} for path, score in zip(answer.files, answer.scores)]
    return {"query": answer.question.ask, "kind": answer.question.kind, "hits": found}


def _show(answers: Sequence[Answer]) -> None:
    from rich.console import Console
    from rich.table import Table

    from .models import KINDS

    table = Table("you ask", "for a", "first", "then", box=None, pad_edge=False, header_style="dim")
    for answer in answers:
        named = [f"{path.name} {score:.2f}" for path, score in zip(answer.files, answer.scores)]
        table.add_row(answer.question.ask, KINDS[answer.question.kind], f"[bold]{named[0]}[/]", ", ".join(named[1:]))
    Console().print(table)
