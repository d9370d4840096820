"""How the command talks: notes and errors on stderr, facts on stdout, exit codes.

Knows: which error ends with which exit code, colours and when not to use them. Does not know: any command.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from typing import IO, Annotated, Any

import typer

from ..errors import ItemError, ManysenseError, ManysenseWarning, MissingExtra, ModelError, UsageError

SOME_FAILED, USAGE, MODEL, ITEM, OTHER, INTERRUPTED = 1, 2, 3, 4, 70, 130
_COLOURS = {"red": "31", "yellow": "33", "dim": "2", "bold": "1"}

Json = Annotated[bool, typer.Option("--json", help="Facts for machines on stdout; words go to stderr.")]
Debug = Annotated[bool, typer.Option("--debug", envvar="MANYSENSE_DEBUG", help="Show the trace of an error.")]
ModelName = Annotated[
    str | None,
    typer.Option("--model", "-m", help="A folder or a Hub name; without it MANYSENSE_MODEL.", show_default=False),
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, cuda:1, mps …; the best one without it.", show_default=False)
]


def paint(text: str, colour: str, stream: IO[str]) -> str:
    """`text` in a colour, on a terminal only, and not under NO_COLOR."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def note(text: str, colour: str = "dim") -> None:
    """A line for the person, on stderr."""
    typer.echo(paint(text, colour, sys.stderr), err=True)


def facts(value: Any) -> None:
    """The answer for machines, on stdout."""
    typer.echo(json.dumps(value, indent=2))


@contextlib.contextmanager
def answering(debug: bool) -> Iterator[None]:
    """Errors inside become one or two red lines and an exit code; `debug` shows their trace, and the log, as well."""
    if debug:
        logging.basicConfig(format="%(message)s", stream=sys.stderr)
        logging.getLogger("manysense").setLevel(logging.DEBUG)
    try:
        yield
    except typer.Exit:
        raise
    except KeyboardInterrupt:
        note("interrupted", "red")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # the reader of our output has had enough
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - so that the interpreter has somewhere to flush to
        raise typer.Exit(0) from None
    except Exception as error:
        if debug:
            traceback.print_exc()
        code, text = _verdict(error)
        note(text, "red")
        raise typer.Exit(code) from None


def _verdict(error: Exception) -> tuple[int, str]:
    text = f"{type(error).__name__}: {error}"
    for kinds, code in (((UsageError,), USAGE), ((ModelError, MissingExtra), MODEL), ((ItemError,), ITEM)):
        if isinstance(error, kinds):
            return code, text
    if isinstance(error, (ManysenseError, OSError)):
        return OTHER, text
    return OTHER, f"{text}\n  This is a bug: please report it with the output of --debug and of `manysense env`."


@contextlib.contextmanager
def hearing() -> Iterator[list[str]]:
    """Collect the library's warnings instead of printing them; other packages' warnings are dropped."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    texts = [str(w.message) for w in caught if issubclass(w.category, ManysenseWarning)]
    said += [re.sub(r'on_truncate="(\w+)"', r"--on-truncate \1", text) for text in texts]


def merged(said: list[str]) -> list[str]:
    """One warning for each kind that the chunks of a run gave: "3 of 256 inputs …" and "4 of 99 inputs …" make
    "7 of 355 inputs …"; of the numbers further on, the largest stay."""
    kinds: dict[str, list[str]] = {}
    for text in said:
        kinds.setdefault(re.sub(r"[\d,]*\d", "#", text), []).append(text)
    return [_merge(texts) for texts in kinds.values()]


def _merge(texts: list[str]) -> str:
    longest = max(texts, key=lambda text: [int(n.replace(",", "")) for n in re.findall(r"[\d,]*\d", text)][2:])
    counts = [match for text in texts if (match := re.match(r"(\d+) of (\d+) ", text))]
    if len(counts) < len(texts):
        return longest
    few, all_ = (sum(int(match[group]) for match in counts) for group in (1, 2))
    return re.sub(r"^\d+ of \d+", f"{few:,} of {all_:,}", longest)


def size(nbytes: float) -> str:
    """91 MB, 1.7 GB: in powers of ten, as file managers show it."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while nbytes >= 999.5 and len(units) > 1:
        nbytes, units = nbytes / 1000, units[1:]
    unit = units[0]
    return f"{nbytes:.0f} {unit}" if nbytes >= 10 or unit == "bytes" else f"{nbytes:.1f} {unit}"


def count(number: int, noun: str) -> str:
    """1 picture, 2 pictures, 1,500 pictures."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
