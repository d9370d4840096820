"""Where results are kept and how they are shown.

Knows: the machine's facts, JSON files, the table of docs/benchmarks.md. Does not know: how anything is measured.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import statistics
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
START, END = "<!-- table: written by python -m benchmarks -->", "<!-- end of table -->"
PACKAGES = ("manysense", "sentence-transformers", "torch", "transformers", "tokenizers", "numpy", "pillow")


def facts() -> dict[str, Any]:
    """Machine and versions."""
    return {
        "date": datetime.date.today().isoformat(),
        "commit": _commit(),
        "machine": {"cpu": _cpu_model(), "cores": os.cpu_count(), "memory": _memory(), "system": platform.system()},
        "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
    }


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()
    except OSError:
        return platform.processor()
    found = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return f"{found.get('model name', platform.machine())} (family {found.get('cpu family')}, {found.get('model')})"


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True).stdout.strip() or None
    except OSError:
        return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def keep(result: dict[str, Any]) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{result['name']}.json"
    path.with_suffix(".tmp").write_text(json.dumps(result, indent=1) + "\n")
    path.with_suffix(".tmp").replace(path)


def write_page(order: list[str]) -> None:
    """Replace the table between the markers by one of every kept result."""
    kept = [RESULTS / f"{name}.json" for name in order]
    results = [json.loads(path.read_text()) for path in kept if path.exists()]
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{table(results)}\n\n{END}{after}", encoding="utf-8")


def table(results: list[dict[str, Any]]) -> str:
    head = [
        "| what | peer | manysense | wall | CPU | memory | largest difference | target |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *(_line(result) for result in results), "", *_circumstances(results)])


def _line(result: dict[str, Any]) -> str:
    cells = [result["title"], _side(result, "peer"), _side(result, "ours")]
    cells += [_ratio(result, name) for name in ("wall", "cpu", "memory")]
    found = result["difference"]
    cells.append("–" if found is None else f"{found:.0e}" + ("" if result["equal"] else " **differs**"))
    cells.append(", ".join(_target(result, name, least) for name, least in result["targets"].items()) or "–")
    return "| " + " | ".join(cells) + " |"


def _side(result: dict[str, Any], name: str) -> str:
    turns = result["turns"].get(name)
    if not turns:
        return "cannot run"
    wall, cpu, memory = (statistics.median(turn[what] for turn in turns) for what in ("wall", "cpu", "memory"))
    return f"{_seconds(wall)}, {_seconds(cpu)} CPU, {memory / 2**20:,.0f} MiB"


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 10 else f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.0f} ms"


def _ratio(result: dict[str, Any], name: str) -> str:
    found = result["ratios"].get(name)
    if found is None:
        return "–"
    return f"**{_times(found['median'])}** [{_times(found['min'])} {_times(found['max'])}]"


def _times(value: float) -> str:
    return f"{value:.0f}x" if value >= 20 else f"{value:.1f}x" if value >= 10 else f"{value:.2f}x"


def _target(result: dict[str, Any], name: str, least: float) -> str:
    found = result["ratios"].get(name)
    met = found is not None and found["median"] >= least
    return f"{name} {least:g}x: {'met' if met else '**missed**'}"


def _circumstances(results: list[dict[str, Any]]) -> list[str]:
    """Where and when the rows were measured, each circumstance once."""
    lines = [f"- {one['title']}: the peer cannot run: {one['peer_error']}" for one in results if "peer_error" in one]
    seen: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        machine = result["machine"]
        versions = ", ".join(f"{name} {value or '-'}" for name, value in result["versions"].items())
        where = (
            f"{result['date']}, {machine['cpu']}, {machine['cores']} cores, {machine['memory'] / 2**30:.0f} GiB, "
            f"{machine['system']}; {versions}"
        )
        seen.setdefault(where, []).append(result)
    for where, those in seen.items():
        pairs = {len(result["turns"]["ours"]) for result in those}
        others = max(result["other_cores"] for result in those)
        load = max(result["load_average"]["before"] for result in those)
        spoken = f"{min(pairs)}" if len(pairs) == 1 else f"{min(pairs)} to {max(pairs)}"
        lines.append(
            f"- {len(those)} rows: {where}; {spoken} pairs; load average up to {load:.1f} before a row, other work "
            f"took up to {others:.1f} cores during it."
        )
    return lines
