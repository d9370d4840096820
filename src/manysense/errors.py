"""Every error this package raises, as one tree.

    ManysenseError
    ├── UsageError(ValueError)                 an argument of the call itself is wrong
    ├── MissingExtra(ImportError)              an optional dependency is not installed
    ├── NotSupported(NotImplementedError)      a name of Sentence Transformers that is not here yet was used
    ├── ModelError(ValueError)                 a model folder cannot be used
    │   ├── ModelNotFound(OSError)             no such folder or repository
    │   ├── UntrustedCode                      the folder names code that may not run
    │   └── NotEnoughMemory(MemoryError)       the weights do not fit
    ├── WorkerError(RuntimeError)              a process of a pool died or could not take its work
    └── ItemError(ValueError)                  one input of many is wrong: .index .source .reason .partial
        ├── UnsupportedInput(TypeError)        no rule says what this value is
        ├── AmbiguousInput                     two rules could apply; a typed wrapper settles it
        ├── UnsupportedModality                the model cannot read this kind of input
        ├── InputTooLong                       longer than the model's limit, with on_truncate="error"
        ├── ForwardError(RuntimeError)         the network itself failed on this input
        └── MediaError(OSError)                a picture, sound or video cannot be opened
            ├── MediaNotFound(FileNotFoundError)
            ├── MediaTooLarge                  over a cap of the policy: bytes, pixels, seconds, frames
            └── FetchError                     the network said no, or too slowly
                └── FetchRefused(PermissionError)   the policy said no: scheme, host, address, network off

Each class is also the builtin that a caller would expect, so `except ValueError` and `except OSError` keep working.
Warnings of the package are `ManysenseWarning`.
"""

from __future__ import annotations

from typing import Any


class ManysenseWarning(UserWarning):
    """Something was decided that the caller should know of: truncation, a prompt that does not apply, ranges."""


class ManysenseError(Exception):
    """Base of every error of this package."""


class UsageError(ManysenseError, ValueError):
    """An argument of the call is wrong; nothing was computed."""


class MissingExtra(ManysenseError, ImportError):
    """An optional dependency is missing. The message holds the exact install command."""


class NotSupported(ManysenseError, NotImplementedError):
    """The name exists in Sentence Transformers and not yet here. The message says what to do meanwhile."""


class ModelError(ManysenseError, ValueError):
    """A model folder cannot be used as it is."""


class ModelNotFound(ModelError, OSError):
    """No folder and no repository of that name could be reached."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class UntrustedCode(ModelError):
    """The folder asks for code outside the allow-list, and `trust_remote_code` was not given."""


class NotEnoughMemory(ModelError, MemoryError):
    """The weights need more memory than is free."""


class WorkerError(ManysenseError, RuntimeError):
    """A process of a pool died, could not take the model, or failed with an error that cannot be sent.

    partial: what was finished before, where the call had rows: `(embeddings, indices)`, or None.
    """

    partial: Any = None


class ItemError(ManysenseError, ValueError):
    """One input is wrong.

    index: position in the caller's inputs, None when there is only one and it has no position.
    source: what the input was, short enough to print.  reason: what is wrong with it.  hint: what to try.
    total: how many inputs there were, where known.
    partial: with on_error="raise", what was finished before: `(embeddings, indices)`, or None.
    """

    def __init__(
        self,
        reason: str,
        *,
        source: str | None = None,
        index: int | None = None,
        total: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.source = source
        self.index = index
        self.total = total
        self.hint = hint
        self.partial: Any = None

    def __str__(self) -> str:
        where = ""
        if self.index is not None:
            where = f"item {self.index}" + (f" of {self.total}" if self.total is not None else "") + ": "
        text = where + self.reason
        return f"{text}\n  {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.reason, {k: v for k, v in self.__dict__.items() if k != "reason"}))


def _rebuild(kind: type[ItemError], reason: str, state: dict[str, Any]) -> ItemError:
    error = kind(reason)
    error.__dict__.update(state)
    return error


def first_line(error: BaseException) -> str:
    """The first line of what an error says, or its name when it says nothing."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


class UnsupportedInput(ItemError, TypeError):
    """No rule says what this value is."""


class AmbiguousInput(ItemError):
    """More than one rule could apply; a typed wrapper (Text, Image, Audio, Video) settles it."""


class UnsupportedModality(ItemError):
    """The model cannot read this kind of input."""


class InputTooLong(ItemError):
    """The input is longer than the model reads, and on_truncate="error" was asked for."""


class ForwardError(ItemError, RuntimeError):
    """The network itself failed on this input."""


class MediaError(ItemError, OSError):
    """A picture, a sound or a video cannot be opened."""


class MediaNotFound(MediaError, FileNotFoundError):
    """There is no such file."""


class MediaTooLarge(MediaError):
    """The medium is over a cap of the policy."""


class FetchError(MediaError):
    """The bytes could not be fetched."""


class FetchRefused(FetchError, PermissionError):
    """The policy forbids this address, scheme or host, or the network is switched off."""
