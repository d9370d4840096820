"""Log lines beside progress bars, and silence.

Knows: Python's logging. Does not know: what is logged; the package itself has one logger, "manysense".
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from ..extras import need


class LoggingHandler(logging.Handler):
    """Writes records to standard output, above a progress bar of tqdm instead of through it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            need("tqdm", to="write log lines above progress bars").tqdm.write(self.format(record))
            self.flush()
        except Exception:  # as every handler of logging: a broken record is reported, not raised
            self.handleError(record)


@contextlib.contextmanager
def disable_logging(highest_level: int = logging.CRITICAL) -> Iterator[None]:
    """Within this context no logger of the process logs anything up to `highest_level`."""
    before = logging.root.manager.disable
    logging.disable(highest_level)
    try:
        yield
    finally:
        logging.disable(before)
