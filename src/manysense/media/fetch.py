"""The one door for bytes: whatever a caller hands over as a medium becomes a Blob.

Knows: paths, file objects, bytes, data URIs, base64, the dicts of `datasets`, and the policy. Does not know: how a
medium is decoded, nor how HTTP works (http.py). A local file is checked and not read; a device, pipe or directory is
refused without being opened. Error texts name what was given and never repeat what is inside.
"""

from __future__ import annotations

import base64
import binascii
import errno
import io
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from ..errors import (
    FetchError,
    FetchRefused,
    ItemError,
    MediaError,
    MediaNotFound,
    MediaTooLarge,
    UnsupportedInput,
)
from ..inputs.types import Modality
from . import http
from .address import amount, escaped, printable_url
from .policy import Policy
from .sniff import HEAD, sniff
from .types import Blob

__all__ = ["describe", "fetch", "is_base64", "is_url", "sniff"]

_SLASHED = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]{2}")  # two letters at least: C:\\ is a drive
_OPAQUE = re.compile(r"(?:https?|file|data|ftp|gopher|javascript|vbscript|blob|about|mailto|jar|ws|wss):", re.I)
_BASE64 = re.compile(r"[A-Za-z0-9+/_\s-]+={0,2}\s*")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_SPACE = re.compile(rb"[\t\n\f\r ]+")
_SHORTEST_BASE64 = 40
_LONGEST_PATH = 4096
_PAGES = ("text/html", "application/xhtml+xml")
_TOO_LARGE_HINT = "Raise max_bytes of the policy."
_BASE64_HINT = "Base64 has letters, digits, + and / only, and comes in groups of four. Or decode it and pass the bytes."


def fetch(value: Any, policy: Policy, *, modality: Modality | None) -> Blob:
    """Find the bytes of one medium: in memory, or the local file that holds them, checked but unread.

    value: bytes, bytearray, memoryview; a binary file object; a path; a str that is a path (~ is expanded), a file:,
    http(s): or data: URL, or base64 text that is_base64() recognises; a dict {"bytes": ..., "path": ...}.
    A file object that can seek is read from its start, and its position is put back; another is read from where it
    stands.  policy.max_bytes holds for what is fetched, decoded or read from a file object; a local file may be larger.
    Raises FetchRefused (the policy), FetchError (the network), MediaNotFound, MediaTooLarge, MediaError (all else, as
    an empty file), UnsupportedInput (no such kind of value); `source` is set, `index` is not.
    """
    source = describe(value)
    try:
        return _blob(value, policy, source, modality)
    except ItemError as error:
        if error.source is not None:  # http.get has told the whole story
            raise
        reason = f"cannot open {modality or 'medium'} '{source}': {error.reason}"
        raise type(error)(reason, source=source, hint=error.hint) from error.__cause__


def describe(value: Any) -> str:
    """A short printable name of any value, for messages. URLs lose user name, password and query; data is not shown."""
    if isinstance(value, str):
        return _describe_text(value)
    if isinstance(value, bytes | bytearray):
        return f"{type(value).__name__} ({amount(len(value))})"
    if isinstance(value, os.PathLike):
        return _short(os.fsdecode(value))
    if isinstance(value, Mapping) and ("bytes" in value or "path" in value):
        path = value.get("path")
        return describe(path if isinstance(path, str | os.PathLike) else value.get("bytes"))
    kind = type(value).__name__
    name = getattr(value, "name", None) if callable(getattr(value, "read", None)) else None
    if isinstance(name, str):
        return f"{kind} of {_short(name)}"
    shape = None if isinstance(value, memoryview) else getattr(value, "shape", None)  # a released one has none
    return f"{kind} {tuple(shape)}" if isinstance(shape, tuple) else kind


def is_url(text: str) -> bool:
    """Whether a str is meant as a URL, of any scheme (also one that no policy allows), and not as a path."""
    return _SLASHED.match(text) is not None or _OPAQUE.match(text) is not None


def is_base64(text: str) -> bool:
    """Whether a str is a medium in base64: 40 characters or more, that alphabet at its start, and a known medium's
    first bytes in it. The rest of it is not looked at."""
    if len(text) < _SHORTEST_BASE64:
        return False
    head = text[:HEAD]
    if _BASE64.fullmatch(head) is None:
        return False
    letters = "".join(head.split()).rstrip("=").encode("ascii").translate(_URL_SAFE)
    return sniff(base64.b64decode(letters[: len(letters) // 4 * 4])) is not None


def _blob(value: Any, policy: Policy, source: str, modality: Modality | None) -> Blob:
    if isinstance(value, bytes | bytearray | memoryview):
        return _held(_copied(value), source)
    if isinstance(value, str):
        return _from_text(value, policy, source, modality)
    if isinstance(value, os.PathLike):
        return _from_path(_expanded(os.fsdecode(value)), policy, source)
    if isinstance(value, Mapping):
        return _from_dict(value, policy, source, modality)
    if callable(getattr(value, "read", None)):
        return _held(_read(value, policy), source)
    raise UnsupportedInput(
        f"a value of type {type(value).__name__} holds no bytes.",
        hint="Pass a path, a URL, a data URI, bytes or a file opened in binary mode.",
    )


def _held(data: bytes, source: str, content_type: str | None = None) -> Blob:
    if not data:
        raise MediaError("it is empty.", hint="Was it written to its end?")
    return Blob(source=source, data=data, content_type=content_type)


def _copied(value: bytes | bytearray | memoryview) -> bytes:
    try:
        return bytes(value)
    except ValueError as error:
        raise MediaError("the memoryview was released.") from error


def _from_dict(value: Mapping[Any, Any], policy: Policy, source: str, modality: Modality | None) -> Blob:
    """A row of `datasets`. Its bytes win; its path is then no more than a name."""
    data, path = value.get("bytes"), value.get("path")
    if isinstance(data, bytes | bytearray | memoryview):
        return _held(_copied(data), source)
    if data is None and isinstance(path, str | os.PathLike):
        return _blob(path, policy, source, modality)
    raise UnsupportedInput("it has neither bytes nor a path.", hint='Allowed is {"bytes": ..., "path": ...}.')


def _from_text(text: str, policy: Policy, source: str, modality: Modality | None) -> Blob:
    scheme = text.partition(":")[0].lower() if is_url(text) else ""
    if scheme == "data":
        return _from_data_uri(text, policy, source)
    if scheme == "file":
        return _from_path(_path_of_url(text), policy, source)
    if scheme:
        data, content_type = http.get(text, policy)
        if content_type in _PAGES and modality != "text":
            reason = f"cannot fetch '{source}': a web page came back, not {_article(modality)}."
            hint = "Pass the address of the file itself. A site may answer with a page to log in."
            raise FetchError(reason, source=source, hint=hint)
        return _held(data, source, content_type)
    if is_base64(text) and not (policy.files and _exists(text)):
        return _held(_from_base64(text.encode("ascii", "replace"), policy), source)
    return _from_path(_expanded(text), policy, source)


def _from_data_uri(uri: str, policy: Policy, source: str) -> Blob:
    """RFC 2397, read as browsers read it: blanks inside base64 and missing padding are forgiven."""
    head, comma, payload = uri[5:].partition(",")
    if not comma:
        raise MediaError("it is a data URI without a comma.", hint="data:<type>;base64,<data>")
    media_type, *options = (field.strip().lower() for field in head.split(";"))
    data = _unquoted(payload)
    if options and options[-1] == "base64":
        data = _from_base64(data, policy)
    elif len(data) > policy.max_bytes:
        raise MediaTooLarge(f"it is {amount(len(data))}; the cap is {amount(policy.max_bytes)}.", hint=_TOO_LARGE_HINT)
    return _held(data, source, media_type or None)


def _from_base64(text: bytes, policy: Policy) -> bytes:
    """Raises MediaError for what is not base64, MediaTooLarge before decoding."""
    letters = _SPACE.sub(b"", text).translate(_URL_SAFE)
    size = len(letters.rstrip(b"=")) * 3 // 4
    if size > policy.max_bytes:
        raise MediaTooLarge(f"it is {amount(size)}; the cap is {amount(policy.max_bytes)}.", hint=_TOO_LARGE_HINT)
    if b"=" not in letters:
        letters += b"=" * (-len(letters) % 4)
    try:
        return base64.b64decode(letters, validate=True)
    except binascii.Error as error:
        raise MediaError("its base64 is malformed.", hint=_BASE64_HINT) from error


def _unquoted(text: str) -> bytes:
    try:
        return unquote_to_bytes(text)
    except UnicodeEncodeError as error:
        raise MediaError("it has half of a character, which no URL can hold.") from error


def _path_of_url(url: str) -> str:
    """The path of a file: URL; query and fragment are not part of it."""
    rest = re.split(r"[?#]", url[5:], maxsplit=1)[0]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host.lower() not in ("", "localhost"):
            raise FetchRefused("a file: URL may not name another machine.", hint="Write file:///folder/name.")
        rest = slash + path
    if not rest.startswith("/"):
        raise MediaError("a file: URL holds an absolute path.", hint="Write file:///folder/name.")
    path = os.fsdecode(_unquoted(rest))
    return path.lstrip("/") if os.name == "nt" else path


def _expanded(path: str) -> str:
    """With ~ as the home folder. A name that no user can have is left to the check of the path."""
    try:
        return os.path.expanduser(path)
    except ValueError:
        return path


def _from_path(path: str, policy: Policy, source: str) -> Blob:
    if not policy.files:
        raise FetchRefused("the policy does not open local files.", hint="Use files=True, or pass the bytes.")
    if not path:
        raise MediaError("the path is empty.")
    facts = _facts(path)
    if stat.S_ISDIR(facts.st_mode):
        raise MediaError("it is a folder.", hint="Pass the files in it.")
    if not stat.S_ISREG(facts.st_mode):
        raise MediaError("it is a device, pipe or socket, not a file.", hint="Read it yourself and pass the bytes.")
    if facts.st_size == 0:
        raise MediaError("it is empty.", hint="Was it written to its end?")
    if not os.access(path, os.R_OK):
        raise MediaError("there is no permission to read it.", hint="Check the file's owner and mode.")
    return Blob(source=source, path=Path(path))


def _facts(path: str) -> os.stat_result:
    """What the file system says of a path, through symbolic links; nothing is opened."""
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        hint = "A relative path is looked up from the current folder."
        raise MediaNotFound("there is no such file.", hint=hint) from error
    except PermissionError as error:
        raise MediaError("there is no permission to look there.", hint="Check the folder's owner and mode.") from error
    except ValueError as error:  # a NUL byte, a lone surrogate
        raise MediaError("it has characters that no path has.") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            hint = 'Text goes in as Text("..."), base64 is decoded first and passed as bytes.'
            raise MediaError("it is too long for a path.", hint=hint) from error
        raise MediaError(f"the file system says: {error.strerror}.") from error


def _exists(path: str) -> bool:
    return len(path) < _LONGEST_PATH and os.path.exists(path)


def _read(file: Any, policy: Policy) -> bytes:
    """All of a binary file object. Its position is the same afterwards where it has one."""
    if getattr(file, "closed", False) is True:
        raise MediaError("the file is closed.", hint="Hand it over while it is open, or pass its path.")
    if isinstance(file, io.TextIOBase):
        raise MediaError("the file was opened as text.", hint='Open it with mode "rb".')
    try:
        before = _rewound(file)
        try:
            return _pieces(file, policy.max_bytes)
        finally:
            if before is not None:
                file.seek(before)
    except MediaError:
        raise
    except Exception as error:  # the object is the caller's, and so is whatever it raises
        raise MediaError(f"reading the file object failed ({type(error).__name__}).") from error


def _rewound(file: Any) -> int | None:
    """Go to the start. Returns the position before, None for a file that cannot seek."""
    try:
        if not file.seekable():
            return None
    except AttributeError:  # an object that only looks like a file: found out by trying
        pass
    try:
        before = int(file.tell())
        file.seek(0)
    except (AttributeError, OSError):
        return None
    return before


def _pieces(file: Any, cap: int) -> bytes:
    out = io.BytesIO()
    while True:
        piece = file.read(min(cap + 1 - out.tell(), 1 << 20))
        if not isinstance(piece, bytes | bytearray | memoryview):  # None: nothing there yet, in non-blocking mode
            kind = type(piece).__name__
            raise MediaError(f"its read() gives {kind}, not bytes.", hint='Open it with mode "rb", or read it first.')
        if not piece:
            return out.getvalue()
        out.write(piece)
        if out.tell() > cap:
            raise MediaTooLarge(f"it is longer than the cap of {amount(cap)}.", hint=_TOO_LARGE_HINT)


def _describe_text(text: str) -> str:
    if text[:5].lower() == "data:":
        head, comma, _ = text[:100].partition(",")
        return f"{_short(head if comma else 'data:', 60)},… ({len(text)} characters)"
    if is_url(text) and (text[:5].lower() != "file:" or "@" in text):
        return printable_url(text)
    if is_base64(text):
        return f"base64 text ({len(text)} characters)"
    return _short(text)


def _short(text: str, limit: int = 120) -> str:
    """Cut in the middle, since the end of a path says most."""
    cut = text if len(text) <= limit else f"{text[: limit // 3]}…{text[-(limit - limit // 3 - 1) :]}"
    return escaped(cut)


def _article(modality: Modality | None) -> str:
    names = {"image": "an image", "audio": "a sound", "video": "a video", "text": "a text"}
    return names.get(modality or "", "a medium")
