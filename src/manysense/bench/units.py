"""Numbers as people read them.

Knows: units. Does not know: what is counted.
"""

from __future__ import annotations

import math

from .stats import Estimate, needed


def seconds(value: float) -> str:
    """850 µs, 12.3 ms, 1.25 s, 310 s; "never" for infinity, "–" for NaN."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "never"
    for unit, scale in (("µs", 1e6), ("ms", 1e3)):
        if value * scale < 999.5:
            return f"{three(value * scale)} {unit}"
    return f"{three(value)} s"


def three(value: float) -> str:
    """Three digits, without an exponent: 0.0123, 1.25, 12.3, 1,234."""
    if not math.isfinite(value):
        return "–"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{max(0, digits)}f}"


def short(value: float) -> str:
    """A tick of an axis: 20, 1.5, 250k, 1M."""
    for unit, scale in (("M", 1e6), ("k", 1e3)):
        if value >= scale:
            return f"{value / scale:.3g}{unit}"
    return f"{value:.3g}"


def brief(value: float) -> str:
    """Seconds where there is little room: 20 ms, 1.5 s; "never" for infinity."""
    if math.isinf(value):
        return "never"
    for unit, scale in (("µs", 1e6), ("ms", 1e3)):
        if value * scale < 999.5:
            return f"{value * scale:.3g} {unit}"
    return f"{value:.3g} s"


def size(count: float | None) -> str:
    """Bytes in powers of ten: 91 MB, 1.7 GB; "–" for None."""
    if count is None:
        return "–"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.0f} %"


def estimate(one: Estimate) -> str:
    """12.3 ms; "needs 368" where there were fewer requests than the percentile needs."""
    return f"needs {needed(one.level)}" if one.value is None else seconds(one.value)


def interval(one: Estimate) -> str:
    """11.8–13 ms; nothing where there is no value."""
    if one.low is None or one.high is None:
        return ""
    low, high = brief(one.low), brief(one.high)
    number, _, unit = low.partition(" ")
    return f"{number if high.endswith(f' {unit}') else low}–{high}"
