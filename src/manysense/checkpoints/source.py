"""Where a model's files come from: a local folder or a Hub repository, as one frozen value.

Knows: names, revisions, tokens, caches, offline; which files of a repository are never read. Does not know: what the
files mean (formats/), what a refusal of the Hub means (refusals.py), how the Hub is spoken to (huggingface_hub).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import ManysenseError, ModelError, ModelNotFound, UsageError, first_line
from ..starter import folder as packaged_folder
from ..warn import warn
from .refusals import is_absent, refusal

if TYPE_CHECKING:
    from huggingface_hub import HfApi, ResolvedRevision

ORGANISATION = "sentence-transformers"

EXPORTS = (
    *("*.onnx", "*.onnx_data", "onnx/*", "openvino/*", "openvino_model*", "coreml/*", "*.mlmodel", "*.mlpackage/*"),
    *("*.h5", "*.msgpack", "*.ot", "*.tflite", "*.gguf"),
)
"""Weights for other runtimes."""
LEFTOVERS = (
    *("checkpoint-*/*", "runs/*", "optimizer.*", "scheduler.pt", "rng_state*.pth", "training_args.bin"),
    *("original/*", "consolidated*"),
)
"""What training leaves behind, and weights in a layout of their maker's own."""
ESSENTIAL = ("modules.json", "config.json", "*.safetensors", "*.bin")
"""What a cached copy must hold, where the repository has it, to be used without asking the Hub."""

_ADDRESS = re.compile(r"(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?P<name>[^/?#]+/[^/?#]+)")


@dataclass(frozen=True, slots=True)
class Source:
    """name: of a model that ships with the package (manysense.starter.NAMES), a folder, or "owner/repository" on the
    Hub; without owner, one of `organisation`, else the repository that has no owner.

    revision: branch, tag, commit or "refs/pr/23", None for the main branch.  token: Hub token, None for the stored one
    (HF_TOKEN, `hf auth login`), True to insist on it, False to send none.  cache_folder: None for
    SENTENCE_TRANSFORMERS_HOME, else the Hub's own cache (HF_HUB_CACHE, HF_HOME).  local_files_only: never ask the
    network.  trust_remote_code: fetch the repository's code too.  pickles: where weights are there twice, fetch the
    pickles and not the safetensors.  organisation: the owner that a name without one has.
    """

    name: str
    revision: str | None = None
    token: str | bool | None = None
    cache_folder: str | os.PathLike[str] | None = None
    local_files_only: bool = False
    trust_remote_code: bool = False
    pickles: bool = False
    organisation: str = ORGANISATION

    def beside(self, name: str, revision: str | None = None) -> Source:
        """What another name stands for, asked for in the same way: token, cache, offline and trust are these.

        The revision is its own: one of this model's says nothing about another.
        """
        return replace(self, name=name, revision=revision)

    def folder(self) -> Path:
        """A local folder with the model's files, all of one commit, downloaded if need be.

        Raises ModelNotFound, ModelError or UsageError with the way out.
        """
        return self._here() or self._fetched(_Repository.folder)

    def code(self) -> Path:
        """As `folder`, with no more than the Python files of a repository."""
        return self._here() or self._fetched(_Repository.code)

    def _here(self) -> Path | None:
        """The folder that needs no Hub. Raises ModelNotFound for what can be no name of a repository either."""
        if not self.name.strip():
            raise ModelNotFound("the name of the model is empty")
        packaged = packaged_folder(self.name)
        if packaged is not None:
            if self.revision is not None:
                raise UsageError(f"{self.name} ships with the package and has no revisions; leave revision away")
            return packaged
        path = Path(self.name).expanduser()
        try:
            is_folder, is_file = path.is_dir(), path.is_file()
        except (OSError, ValueError) as error:
            raise ModelNotFound(f"{self.name[:80]!r} can be no folder and no name: {first_line(error)}") from error
        if is_folder:
            return path
        if is_file:
            raise ModelNotFound(f"{self.name!r} is a file; a model is a folder")
        self._check_name()
        return None

    def _check_name(self) -> None:
        """Raise ModelNotFound for what can be no name of a repository."""
        wrong = f"there is no folder {self.name!r}, and a Hub name has the form owner/repository"
        address = _ADDRESS.match(self.name)
        if address:
            raise ModelNotFound(f"{wrong}\n  For that page it is {address['name']!r}.")
        if self.name.startswith((".", "/", "~")) or "\\" in self.name:
            raise ModelNotFound(wrong)
        if self.name.count("/") > 1:
            whole = "/".join(self.name.split("/")[:2])
            raise ModelNotFound(
                f"{wrong}\n"
                f"  A folder inside a repository is no name: fetch it with `hf download {whole}`, and pass the path "
                "of the folder inside."
            )

    # ---- the Hub

    def _fetched(self, wanted: Callable[[_Repository], Path]) -> Path:
        """What is wanted of the first repository that the name can mean and that is there."""
        names = (self.name,) if "/" in self.name else (f"{self.organisation}/{self.name}", self.name)
        absent: list[tuple[str, Exception]] = []
        for repository in names:
            try:
                return wanted(_Repository(repository, self))
            except ManysenseError:
                raise
            except Exception as error:  # whatever the Hub, the network or the disk makes huggingface_hub raise
                if not is_absent(error):
                    raise self._refusal(repository, error) from None  # that traceback is an HTTP client's: no help
                absent.append((repository, error))
        raise self._refusal(*absent[0])

    def _refusal(self, repository: str, error: Exception) -> ManysenseError:
        return refusal(f"model {self.name!r}", repository, error, self)

    @property
    def cache(self) -> str | None:
        """The folder of the cache, None for the Hub's own."""
        given = self.cache_folder or os.environ.get("SENTENCE_TRANSFORMERS_HOME")
        return os.fspath(given) if given else None

    @property
    def offline(self) -> bool:
        from huggingface_hub import is_offline_mode

        return self.local_files_only or is_offline_mode()

    def api(self) -> HfApi:
        from huggingface_hub import HfApi

        return HfApi(token=self.token, library_name="manysense", library_version=__version__)


@dataclass(frozen=True, slots=True)
class _Repository:
    """One repository, as a source asks for it. Its methods raise what huggingface_hub raises."""

    name: str
    source: Source

    def folder(self) -> Path:
        revision = self._resolved()
        kept = self._complete(revision)
        if kept is not None:
            return kept
        if self.source.offline:
            return self._usable(revision)
        try:
            return self._downloaded(revision)
        except ManysenseError:
            raise
        except Exception as refused:
            from huggingface_hub.errors import LocalEntryNotFoundError

            try:
                return self._usable(revision)
            except LocalEntryNotFoundError:
                raise refused from None

    def code(self) -> Path:
        return self._snapshot(self._resolved(), local_files_only=self.source.offline, allow_patterns=["*.py"])

    def _resolved(self) -> ResolvedRevision:
        """The revision and its commit, asked for once. A copy in the cache serves where the Hub gives no answer."""
        from huggingface_hub.errors import HfHubHTTPError, RevisionNotFoundError, RevisionResolutionError

        api, source = self.source.api(), self.source
        kwargs: dict[str, Any] = {"revision": source.revision, "cache_dir": source.cache}
        try:
            return api.resolve_revision(self.name, local_files_only=source.local_files_only, **kwargs)
        except RevisionNotFoundError:
            raise
        except HfHubHTTPError as refused:
            try:
                return api.resolve_revision(self.name, local_files_only=True, **kwargs)
            except RevisionResolutionError:
                raise refused from None

    def _snapshot(self, revision: ResolvedRevision, **kwargs: Any) -> Path:
        from huggingface_hub import snapshot_download

        source = self.source
        found = snapshot_download(
            self.name,
            revision=revision,
            token=source.token,
            cache_dir=source.cache,
            library_name="manysense",
            library_version=__version__,
            tqdm_class=_bar_on_terminals(),
            **kwargs,
        )
        return Path(found)

    def _listed(self, revision: ResolvedRevision) -> list[str] | None:
        """Names of the files of this commit, as the cache remembers them."""
        from huggingface_hub import get_cached_repo_tree
        from huggingface_hub.errors import CachedRepoTreeNotFoundError

        try:
            tree = get_cached_repo_tree(self.name, revision=revision, cache_dir=self.source.cache)
        except CachedRepoTreeNotFoundError:
            return None
        return [file.path for file in tree]

    def _complete(self, revision: ResolvedRevision) -> Path | None:
        """The cached copy, when it is known to hold every file that is read. Asks nobody."""
        from huggingface_hub.errors import LocalEntryNotFoundError

        names = self._listed(revision)
        if names is None:
            return None
        _check_runnable(self.name, names)
        try:
            return self._snapshot(revision, local_files_only=True, ignore_patterns=self._ignored(names))
        except LocalEntryNotFoundError:
            return None

    def _usable(self, revision: ResolvedRevision) -> Path:
        """The cached copy, when it holds what is essential. Other programs fetch only the files that they read."""
        names = self._listed(revision)
        ignored = self._ignored(names or ())
        folder = self._snapshot(revision, local_files_only=True, allow_patterns=ESSENTIAL, ignore_patterns=ignored)
        if names is None and not (folder / "modules.json").is_file() and not self._has_no_modules(revision):
            warn(
                f"the cached copy of {self.name} holds no modules.json, and without the Hub it cannot be known whether "
                "the model has one: it is read as a plain transformers folder; go online once to be sure"
            )
        return folder

    def _has_no_modules(self, revision: ResolvedRevision) -> bool:
        """Whether the Hub once said so."""
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.name, "modules.json", self.source.cache, revision.resolved)
        return found is not None and not isinstance(found, str)

    def _downloaded(self, revision: ResolvedRevision) -> Path:
        names = self.source.api().list_repo_files(self.name, revision=revision.resolved)
        _check_runnable(self.name, names)
        return self._snapshot(revision, ignore_patterns=self._ignored(names))

    def _ignored(self, names: Iterable[str]) -> list[str]:
        code = () if self.source.trust_remote_code else ("*.py",)
        return [*EXPORTS, *LEFTOVERS, *code, *_doubled(frozenset(names), self.source.pickles)]


def _bar_on_terminals() -> type:
    """The Hub's progress bar, silent where nobody looks at it: in logs, under pytest, in a server."""
    from huggingface_hub.utils.tqdm import tqdm

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{"disable": None, **kwargs})  # type: ignore[no-untyped-call]

    return Bar


def _doubled(names: frozenset[str], pickles: bool) -> list[str]:
    """Of weights that lie there twice, what is not wanted: the pickles, or with `pickles` the safetensors."""
    stems = {"pytorch_model": "model", "adapter_model": "adapter_model"}
    wanted, spare = (".bin", ".safetensors") if pickles else (".safetensors", ".bin")
    if pickles:
        stems = {safe: pickled for pickled, safe in stems.items()}
    found = []
    for name in names:
        folder, slash, file = name.rpartition("/")
        stem = stems.get(re.split(r"[.-]", file)[0])
        same = f"{folder}{slash}{stem}{wanted}"
        if spare in file and stem and (same in names or f"{same}.index.json" in names):
            found.append(name)
    return found


def _check_runnable(repository: str, names: Iterable[str]) -> None:
    """Raise ModelError, before anything is fetched, for a repository of nothing but exports."""
    weights = [name for name in names if name.endswith((".safetensors", ".bin"))]
    exports = [name for name in names if any(fnmatchcase(name, pattern) for pattern in EXPORTS)]
    if exports and all(name in exports for name in weights):
        raise ModelError(
            f"{repository} holds weights only as {', '.join(sorted(exports)[:3])}, which do not run here\n"
            "  Take the repository that the export was made from: it has model.safetensors or pytorch_model.bin."
        )
