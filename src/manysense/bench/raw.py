"""The measurement as a file: JSON lines, one for each request, from which the report can be made again.

Knows: the file. Does not know: how its numbers come about, or what they mean.

    {"event": "run", …}        what was measured, and where: the first line
    {"event": "step", …}       one rate begins
    {"event": "request", …}    one Sample (load.py)
    {"event": "step_end", …}   and its peak of memory
    {"event": "end", …}        why it ended: the last line, missing where the process was killed
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from .. import __version__
from ..errors import UsageError
from .load import Sample, Step
from .measure import Event, Plan, StepEnd
from .targets import Target
from .workload import Workload

FORMAT = 1
FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Recording:
    """A file that was read.  about: its first line.  samples: of the load, without the warm-up.  peaks: step → bytes.
    ended: "finished", or why it ended early.
    """

    about: Mapping[str, Any]
    samples: tuple[Sample, ...]
    peaks: Mapping[int, int | None]
    ended: str

    @property
    def workers(self) -> int:
        return int(self.about["workers"])

    def steps(self) -> dict[int, list[Sample]]:
        """Step → its samples."""
        made: dict[int, list[Sample]] = {}
        for sample in self.samples:
            made.setdefault(sample.step, []).append(sample)
        return made


class Writer:
    """Each line is on its way to the disk before the next one is measured: a killed run keeps what it has."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def begin(self, target: Target, workload: Workload, plan: Plan) -> None:
        self._line(
            "run",
            format=FORMAT,
            target=target.name,
            made_by=target.made_by,
            workers=target.workers,
            plan=asdict(plan),
            workload=dict(workload.facts),
            judgements=[list(relevance) for relevance in workload.judgements],
            machine=machine(),
            began=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def add(self, event: Event) -> None:
        if isinstance(event, Step):
            count = len(event.requests)
            self._line("step", number=event.number, phase=event.phase, rate=event.rate, requests=count)
        elif isinstance(event, StepEnd):
            self._line("step_end", number=event.number, peak=event.peak)
        else:
            self._line("request", **asdict(event))

    def end(self, reason: str) -> None:
        self._line("end", reason=reason)

    def _line(self, event: str, **values: Any) -> None:
        self._file.write(json.dumps({"event": event, **values}, ensure_ascii=False) + "\n")
        self._file.flush()


def read(path: Path) -> Recording:
    """Raises UsageError where the file is none of these. A last line that was cut off is left out."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read: {error}") from error
    rows = [_row(line, f"{path.name}:{number}") for number, line in enumerate(lines[:-1], 1)]
    if not rows or rows[0].get("event") != "run" or rows[0].get("format") != FORMAT:
        raise UsageError(f"{str(path)!r} is no recording of `manysense bench rerank`")
    names = {field.name for field in fields(Sample)}
    samples, peaks, ended = [], {}, "the process was killed"
    for row in rows[1:]:
        if row["event"] == "request" and row["phase"] == "load":
            scores = None if row["scores"] is None else tuple(row["scores"])
            samples.append(Sample(**{**{name: row[name] for name in names}, "scores": scores}))
        elif row["event"] == "step_end":
            peaks[row["number"]] = row["peak"]
        elif row["event"] == "end":
            ended = row["reason"]
    return Recording(rows[0], tuple(samples), peaks, ended)


def _row(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        row["event"]
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{place} is no line of a recording: {line[:60]!r}") from error
    made: dict[str, Any] = row
    return made


def machine() -> dict[str, Any]:
    """What a reader must know of the machine to compare numbers with another's."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "manysense": __version__,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
