"""transformers without progress bars and reports, in the threads that ask for it and in no other.

Knows: where transformers makes its bars and sends its reports. Does not know: what is loaded or saved. Settings that
belong to the whole process, its verbosity and whether bars are on, are neither changed nor read: a program may change
them meanwhile. What hangs in transformers for that is taken off when the last thread leaves.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

Hook = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""Makes a bar: (the usual way to make one, its arguments) → the bar."""


class _Silence:
    """How often each thread is inside, and what hangs in transformers as long as any is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here = threading.local()
        self._inside = 0
        self._before: Hook | None = None
        self._hook: Hook | None = None
        self._handlers: list[logging.Handler] = []

    def enter(self, reports: bool) -> None:
        with self._lock:
            if not self._inside:
                self._hang()
            self._inside += 1
        self._here.bars = getattr(self._here, "bars", 0) + 1
        self._here.reports = getattr(self._here, "reports", 0) + reports

    def leave(self, reports: bool) -> None:
        self._here.bars -= 1
        self._here.reports -= reports
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._take_off()

    def _hang(self) -> None:
        from transformers.utils.logging import set_tqdm_hook

        self._hook = self._above(set_tqdm_hook(None))
        set_tqdm_hook(self._hook)
        own = logging.getLogger("transformers")
        self._handlers = [*own.handlers, *(logging.getLogger().handlers if own.propagate else ())]
        for handler in self._handlers:
            handler.addFilter(self._passes)

    def _take_off(self) -> None:
        from transformers.utils.logging import set_tqdm_hook

        found = set_tqdm_hook(self._before)
        if found is not self._hook:  # another was hung meanwhile, and stays
            set_tqdm_hook(found)
        for handler in self._handlers:
            handler.removeFilter(self._passes)
        self._handlers = []

    def _above(self, before: Hook | None) -> Hook:
        """A hook that does what the one before it does, but in the threads that are inside."""
        self._before = before

        def bar(make: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if getattr(self._here, "bars", 0):
                return make(*args, **{**kwargs, "disable": True})
            return make(*args, **kwargs) if before is None else before(make, args, kwargs)

        return bar

    def _passes(self, record: logging.LogRecord) -> bool:
        silent = getattr(self._here, "reports", 0) and record.name.partition(".")[0] == "transformers"
        return not silent or record.levelno >= logging.ERROR


_silence = _Silence()


@contextlib.contextmanager
def without_bars() -> Iterator[None]:
    """No progress bar of transformers in this thread."""
    _silence.enter(reports=False)
    try:
        yield
    finally:
        _silence.leave(reports=False)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No progress bar of transformers in this thread, and of its reports only the errors."""
    _silence.enter(reports=True)
    try:
        yield
    finally:
        _silence.leave(reports=True)
