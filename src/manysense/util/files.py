"""Single files of model folders and of the web, by the known functions.

Knows: what these functions accept and return. Does not know: how bytes are fetched and which addresses are allowed
(media/), what a refusal of the Hub means (checkpoints/), what the files mean.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from .. import __version__
from ..checkpoints.refusals import refusal
from ..checkpoints.source import ORGANISATION, Source
from ..errors import ModelNotFound, UsageError
from ..media import http
from ..media.policy import DEFAULT, Policy
from ..progress import bar
from ..starter import folder as packaged_folder

Name = str | os.PathLike[str]
KIBI = 1024


def http_get(url: str, path: Name, *, policy: Policy = DEFAULT, show_progress_bar: bool = True) -> None:
    """Download an http(s) URL into the file `path`: whole, or not at all.

    Folders on the way to `path` are made, a file that is there is replaced in one step. Until then the bytes go into a
    file of another name beside it, which is removed when the download fails.  policy: limits, as for media: 512 MiB,
    120 seconds, public addresses; Policy(max_bytes=…, total_seconds=…) raises them.  show_progress_bar: on a terminal.
    Raises FetchError, FetchRefused, MediaTooLarge; UsageError for another scheme or where `path` is a folder; OSError
    where the file cannot be written.
    """
    if not str(url).lower().startswith(("http://", "https://")):
        raise UsageError(f"http_get downloads http:// and https:// addresses, got {str(url)[:80]!r}")
    place = Path(path).expanduser()
    if place.is_dir() or not place.name:
        raise UsageError(f"path must name a file, and {str(path)!r} is a folder")
    with _Part(place, show_progress_bar) as part:
        http.stream(str(url), policy, part)
        part.finish()


class _Part:
    """A download on its way: a sink that fills a file beside `place`, which takes its name when it is whole.

    Nothing is made before the first byte comes; what was made and not finished is removed again.
    """

    def __init__(self, place: Path, show: bool) -> None:
        self._place, self._show = place, show
        self._path = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
        self._open = contextlib.ExitStack()
        self._new_folders: list[Path] = []
        self._bytes = 0

    def begin(self, length: int | None) -> None:
        self._new_folders = [folder for folder in self._place.parents if not folder.exists()]
        self._place.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._open.enter_context(self._path.open("xb"))
        total = None if length is None else length // KIBI
        self._advance = self._open.enter_context(bar(f"{self._place.name}, KiB", total, self._show))

    def write(self, piece: bytes, /) -> None:
        self._file.write(piece)
        before, self._bytes = self._bytes, self._bytes + len(piece)
        self._advance(self._bytes // KIBI - before // KIBI)

    def finish(self) -> None:
        self._open.close()
        self._path.replace(self._place)
        self._new_folders = []

    def __enter__(self) -> _Part:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self._open.close()
        finally:
            self._path.unlink(missing_ok=True)
            for folder in self._new_folders:  # the innermost first
                with contextlib.suppress(OSError):
                    folder.rmdir()


def is_sentence_transformer_model(
    model_name_or_path: Name,
    token: bool | str | None = None,
    cache_folder: str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
) -> bool:
    """Whether a folder, a Hub name or a packaged model has a `modules.json`.

    Raises ModelNotFound where that cannot be known: no such repository, no access, no network.
    """
    found = load_file_path(
        model_name_or_path,
        "modules.json",
        token=token,
        cache_folder=cache_folder,
        revision=revision,
        local_files_only=local_files_only,
    )
    return found is not None


def load_file_path(
    model_name_or_path: Name,
    filename: Name,
    subfolder: Name = "",
    token: bool | str | None = None,
    cache_folder: str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
) -> str | None:
    """The path of one file of a model, downloaded if need be; None where the model has no such file.

    model_name_or_path: a folder, "owner/repository" on the Hub, or a packaged model.  local_files_only: None also where
    the file is not in the cache.  Raises ModelNotFound where the Hub has no such repository or does not answer;
    UsageError for a file outside the model.
    """
    inside = _inside(subfolder) / _inside(filename)
    source = Source(os.fspath(model_name_or_path), revision, token, cache_folder, local_files_only)
    folder = _local(source)
    if folder is not None:
        return str(folder / inside) if (folder / inside).exists() else None
    from huggingface_hub import hf_hub_download

    return _asked(source, lambda name, options: hf_hub_download(name, inside.as_posix(), **options))


def load_dir_path(
    model_name_or_path: Name,
    subfolder: Name,
    token: bool | str | None = None,
    cache_folder: str | None = None,
    revision: str | None = None,
    local_files_only: bool = False,
) -> str | None:
    """The path of one folder of a model, its files downloaded if need be; None where a local folder has no such one.

    Arguments and errors are as in load_file_path; ModelNotFound also where a repository has no such folder.
    """
    inside = _inside(subfolder)
    source = Source(os.fspath(model_name_or_path), revision, token, cache_folder, local_files_only)
    folder = _local(source)
    if folder is not None:
        return str(folder / inside) if (folder / inside).exists() else None
    from huggingface_hub import snapshot_download

    patterns = None if inside == PurePosixPath() else [f"{inside.as_posix()}/**"]

    def ask(name: str, options: dict[str, Any]) -> str:
        found = Path(snapshot_download(name, allow_patterns=patterns, **options), inside)
        if not found.is_dir():
            raise ModelNotFound(f"model {name!r} has no folder {inside.as_posix()!r}, or it could not be fetched")
        return str(found)

    return _asked(source, ask)


def _inside(path: Name) -> PurePosixPath:
    """A path inside a model. Raises UsageError for one that leads out, as POSIX or as Windows reads it."""
    text = os.fspath(path)
    windows = PureWindowsPath(text)
    if windows.anchor or ".." in windows.parts or text.startswith("/") or "\0" in text:
        raise UsageError(f"{text!r} leads out of the model's folder; pass a path inside it, without '..'")
    return PurePosixPath(*windows.parts)


def _local(source: Source) -> Path | None:
    """The folder of a packaged or local model; None for a name of the Hub."""
    packaged = packaged_folder(source.name)
    if packaged is not None:
        return packaged
    path = Path(source.name).expanduser()
    with contextlib.suppress(OSError, ValueError):
        if path.is_dir():
            return path
    return None


def _asked(source: Source, ask: Callable[[str, dict[str, Any]], str]) -> str | None:
    """What the first repository gives that the name can mean, None where it has no such file.

    The revision is resolved first: that is one question, and the cache answers it where the Hub does not.
    """
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionResolutionError,
    )

    kept: dict[str, Any] = {"cache_dir": source.cache, "local_files_only": source.local_files_only}
    sender = {"token": source.token, "library_name": "manysense", "library_version": __version__}
    names = [source.name] if "/" in source.name else [f"{ORGANISATION}/{source.name}", source.name]
    absent: RepositoryNotFoundError | None = None
    for name in names:
        try:
            revision = source.api().resolve_revision(name, revision=source.revision, **kept)
            return ask(name, {"revision": revision, **kept, **sender})
        except (LocalEntryNotFoundError, RevisionResolutionError) as error:
            if not source.offline:
                raise refusal(f"model {source.name!r}", name, error, source) from None
        except (EntryNotFoundError, HFValidationError):
            return None
        except RepositoryNotFoundError as error:
            absent = absent or error
        except HfHubHTTPError as error:
            raise refusal(f"model {source.name!r}", name, error, source) from None
    if absent is not None:
        raise refusal(f"model {source.name!r}", names[0], absent, source)
    return None
