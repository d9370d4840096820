"""Which device work runs on, and what must not run at the same time.

Knows: devices of torch, a lock that many may share. Does not know: models.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any


class SharedLock:
    """Many holders at once, or one alone. Forward passes share it; building a model takes it alone.

    A thread that holds a share may take another; one that waits to be alone keeps new sharers of other threads out.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._sharers = 0
        self._alone: int | None = None
        self._depth = 0
        self._waiting = 0
        self._mine = threading.local()

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        nested = getattr(self._mine, "count", 0) > 0 or self._alone == threading.get_ident()
        with self._condition:
            if not nested:
                self._condition.wait_for(lambda: self._alone is None and not self._waiting)
            self._sharers += 1
        self._mine.count = getattr(self._mine, "count", 0) + 1
        try:
            yield
        finally:
            self._mine.count -= 1
            with self._condition:
                self._sharers -= 1
                self._condition.notify_all()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        me = threading.get_ident()
        with self._condition:
            if self._alone != me:
                self._waiting += 1
                try:
                    own = getattr(self._mine, "count", 0)
                    self._condition.wait_for(lambda: self._alone is None and self._sharers == own)
                finally:
                    self._waiting -= 1
                self._alone = me
            self._depth += 1
        try:
            yield
        finally:
            with self._condition:
                self._depth -= 1
                if not self._depth:
                    self._alone = None
                self._condition.notify_all()


SERIAL = SharedLock()
"""Shared by forward passes, taken alone while transformers builds a model: it changes torch's default dtype, which is
one for the whole process."""


def best_device() -> str:
    """ "cuda" or "mps" where there is one, else "cpu"."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def as_device(device: Any) -> Any:
    """A torch.device; None is the best one. Raises UsageError for a name torch does not know."""
    import torch

    from ..errors import UsageError, first_line

    if device is None:
        device = best_device()
    try:
        made = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise UsageError(f"device={device!r} is not known: {first_line(error)}") from None
    if not _is_there(made):
        raise UsageError(f"device={device!r} is not there on this machine; the best one is {best_device()!r}")
    return made


def _is_there(device: Any) -> bool:
    import torch

    if device.type == "cuda":
        return (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return bool(torch.backends.mps.is_available())
    return bool(device.type != "meta")
