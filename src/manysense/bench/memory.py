"""The most memory that a process held while something ran.

Knows: resident memory of a process of this machine, by its number. Does not know: accelerators; what used the memory.
"""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from types import TracebackType

EVERY = 0.05
"""Seconds between two looks. A shorter peak can be missed."""


def resident(pid: int) -> int | None:
    """Bytes that the process holds in memory now; None where there is no such process, or the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        pass
    try:
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
        return int(said.stdout) * 1024
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


class Peak:
    """`with Peak(pid) as peak: …`, then peak.bytes: the most that was seen, None where nothing could be seen."""

    def __init__(self, pid: int) -> None:
        self.pid, self.bytes = pid, resident(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="manysense-bench-memory", daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while self.bytes is not None and not self._over.wait(EVERY):
            self.bytes = max(self.bytes, resident(self.pid) or 0)
