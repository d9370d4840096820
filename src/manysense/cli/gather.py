"""From the arguments of `manysense embed` to its list of items.

Knows: files, folders, globs, URLs, lines, what is left out and why. Does not know: models beyond the kinds they read,
vectors. An item's kind comes from its suffix; where that says nothing, from its first bytes.
"""

from __future__ import annotations

import glob
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..inputs.forms import form_of, is_text_file, suffix_kind
from ..inputs.types import Text
from ..media.sniff import HEAD, sniff

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item. id: its name in the output: a path, a URL, or "file:line".  value: what the model is handed.
    kind: "text", "image", "audio", "video", None for a file that is none of these.  stamp: changes with the content.
    """

    id: str
    value: Any
    kind: str | None
    stamp: str


@dataclass(slots=True)
class Gathered:
    """entries: in the order of the arguments, folders sorted, each id once.

    left_out: reason → how many: "image" and so on where the model does not read that, "unknown .pdf" where no kind is
    known, "blank line", "named twice".
    """

    entries: list[Entry] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def readable(self, kinds: Sequence[str]) -> Gathered:
        """Without the entries of other kinds, which are counted."""
        kept = Gathered(left_out=Counter(self.left_out))
        for entry in self.entries:
            if entry.kind in kinds:
                kept.entries.append(entry)
            elif entry.kind is None:
                kept.left_out[f"unknown {Path(entry.id).suffix.lower()}".strip()] += 1
            else:
                kept.left_out[entry.kind] += 1
        return kept


def gather(
    arguments: Iterable[str], *, lines: bool, read_stdin: Callable[[], bytes], never: Iterable[Path] = ()
) -> Gathered:
    """lines: text files give an item a line.  read_stdin: called for "-".  never: paths that no folder or glob gives.

    Raises UsageError for an argument that is nothing.
    """
    found, seen = Gathered(), set()
    refused = {path.resolve() for path in never}
    for argument in arguments:
        for entry in _entries(argument, lines, read_stdin, refused, found.left_out):
            if entry.id in seen:
                found.left_out["named twice"] += 1
            else:
                seen.add(entry.id)
                found.entries.append(entry)
    return found


def _entries(
    argument: str, lines: bool, read_stdin: Callable[[], bytes], refused: set[Path], left_out: Counter[str]
) -> Iterator[Entry]:
    if argument == STDIN:
        yield from _lines(STDIN, _decoded_stdin(read_stdin()), left_out)
    elif argument.lower().startswith(("http://", "https://")):
        yield _url(argument)
    else:
        for path in _paths(argument, refused):
            yield from _file(path, lines, left_out)


def _url(url: str) -> Entry:
    kind = form_of(url).modality
    if kind is None:
        raise UsageError(f"the form of {url!r} does not say what it holds (no known suffix); download it first")
    return Entry(url, url, kind, "")


def _paths(argument: str, refused: set[Path]) -> Iterator[Path]:
    path = Path(argument).expanduser()
    if path.is_dir():
        yield from _walk(path, refused)
    elif path.exists():
        yield path
    elif glob.has_magic(argument):
        matches = sorted(glob.glob(str(path), recursive=True))
        if not matches:
            raise UsageError(f"no file matches {argument!r}")
        for match in map(Path, matches):
            if match.is_dir() and "**" not in argument:
                yield from _walk(match, refused)
            elif match.is_file() and match.resolve() not in refused:
                yield match
    else:
        raise UsageError(
            f"there is no file or folder {argument!r}\n"
            "  Words come from stdin, a text a line, where - stands:  echo 'a red circle' | manysense …  -"
        )


def _walk(folder: Path, refused: set[Path]) -> Iterator[Path]:
    """Files below a folder, sorted; hidden files and folders are skipped, links to folders not followed."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if not _skipped(here / name, refused)]
        found += [here / name for name in files if not _skipped(here / name, refused)]
    yield from sorted(found)


def _skipped(path: Path, refused: set[Path]) -> bool:
    return path.name.startswith(".") or path.resolve() in refused


def _file(path: Path, lines: bool, left_out: Counter[str]) -> Iterator[Entry]:
    name = path.as_posix()
    kind = "text" if is_text_file(name) else suffix_kind(name) or _sniffed(path)
    if lines and kind == "text":
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            pass  # goes on as one item, so that the model says what is wrong with it
        else:
            yield from _lines(name, text, left_out)
            return
    try:
        stat = path.stat()
        stamp = f"{stat.st_size}:{stat.st_mtime_ns}"
    except OSError:  # a dangling link: opening it will say so
        stamp = ""
    yield Entry(name, path, kind, stamp)


def _sniffed(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return sniff(file.read(HEAD))
    except OSError:
        return None


def _lines(name: str, text: str, left_out: Counter[str]) -> Iterator[Entry]:
    """An item for each line that is not blank; ids count every line, from 1."""
    every = text.split("\n")
    if every[-1] == "":
        every.pop()
    for number, line in enumerate(every, 1):
        line = line.removesuffix("\r")
        if line.strip():
            stamp = hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
            yield Entry(f"{name}:{number}", Text(line), "text", stamp)
        else:
            left_out["blank line"] += 1


def _decoded_stdin(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"stdin is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from None
