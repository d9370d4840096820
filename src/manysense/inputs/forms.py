"""Read the form of a string: a path, a URL, a data URI, base64, or text.

Knows: suffixes and prefixes. Does not know: whether a file exists (that must never decide what a string means).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from .types import Modality

SUFFIXES: dict[Modality, frozenset[str]] = {
    "image": frozenset(
        ".jpg .jpeg .jpe .jfif .png .apng .gif .bmp .dib .tif .tiff .webp .avif .heic .heif .jp2 .j2k .ico "
        ".ppm .pgm .pbm .pnm .tga .svg".split()
    ),
    "audio": frozenset(".wav .wave .flac .ogg .oga .opus .mp3 .m4a .aac .aif .aiff .aifc .wma .weba".split()),
    "video": frozenset(".mp4 .m4v .mov .qt .avi .mkv .webm .wmv .asf .flv .mpg .mpeg .m2ts .mts .3gp .ogv".split()),
}
TEXT_SUFFIXES = frozenset(".txt .text .md .markdown .rst".split())
LONGEST_PATH = 4096

Kind = Literal["text", "path", "url", "file-url", "data", "base64"]

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{60,}={0,2}\s*", re.ASCII)
_DATA = re.compile(r"data:([a-z0-9.+-]+)/[a-z0-9.+-]+[;,]|data:;base64,", re.ASCII | re.IGNORECASE)
_PATH_LIKE = re.compile(r"(?:/|\.{1,2}/|~/|[A-Za-z]:[\\/])\S*")
PLAIN_PATHS: dict[str, Modality] = {".ts": "video", ".au": "audio", ".snd": "audio"}
"""Suffixes that other things have, too (a script, a host name): media only where the whole string is plainly a path."""


@dataclass(frozen=True, slots=True)
class Form:
    """kind: what the string is. modality: of a medium, where the form says so; None where it does not."""

    kind: Kind
    modality: Modality | None = None


TEXT = Form("text", "text")


def form_of(string: str) -> Form:
    """The form of a string, from its characters alone.

    - `data:image/…`, `data:audio/…`, `data:video/…` are media, other `data:` URIs too, of unknown kind.
    - a single http(s) or file URL without white space is a URL; its kind comes from the suffix of its path.
    - one line of at most 4,096 characters that ends in a suffix of a media format is a path.
    - 60 or more characters of base64 and nothing else may be a medium: its first bytes tell.
    - everything else is text.
    """
    line = string.strip()  # a line read from a list of files still has its end
    head = line[:16].lower()
    if match := _DATA.match(line[:256]):
        kind = (match.group(1) or "").lower()
        return Form("data", kind if kind in ("image", "audio", "video", "text") else None)  # type: ignore[arg-type]
    if head.startswith(("http://", "https://")):
        return Form("url", _url_kind(line)) if not any(c.isspace() for c in line) else TEXT
    if head.startswith("file:/"):
        return Form("file-url", _url_kind(line)) if "\n" not in line else TEXT
    if len(line) <= LONGEST_PATH and "\n" not in line and "\r" not in line:
        found = suffix_kind(line)
        if found is None and _PATH_LIKE.fullmatch(line):
            found = next((m for suffix, m in PLAIN_PATHS.items() if line.lower().endswith(suffix)), None)
        if found is not None:
            return Form("path", found)
    return Form("base64") if _is_base64(string) else TEXT


def _is_base64(string: str) -> bool:
    """In one piece or in lines, as mail has it."""
    return _BASE64.fullmatch(string[:60]) is not None and _BASE64.fullmatch("".join(string.splitlines())) is not None


def suffix_kind(path: str) -> Modality | None:
    """The modality of a path by its suffix: "photos/a.JPG" → "image"; None for an unknown suffix.

    A bare suffix (".png") is no path: a file of that name has no suffix.
    """
    name = re.split(r"[/\\]", path)[-1]
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem.strip():
        return None
    wanted = "." + suffix.lower()
    return next((modality for modality, suffixes in SUFFIXES.items() if wanted in suffixes), None)


def is_text_file(path: str) -> bool:
    """Whether the suffix is that of a plain text file."""
    return "." + path.rpartition(".")[2].lower() in TEXT_SUFFIXES


def _url_kind(url: str) -> Modality | None:
    try:
        return suffix_kind(urlsplit(url.strip()).path)
    except ValueError:
        return None
