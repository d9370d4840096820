"""Kinds of small paper and plastic: cards, passes, tickets, envelopes.

Knows: what each looks like from a distance. Does not know: the pieces it is laid out with (sheet.py).
"""

from __future__ import annotations

from collections.abc import Callable

from . import canvas
from .sheet import A4, CARD, COMPANIES, WIDE, Sheet
from .wording import pick


def stripes(s: Sheet, x0: float, y0: float, x1: float, y1: float) -> None:
    """Bars of a bar code."""
    x, ink = x0, (0, 0, 0)
    while x < x1:
        wide = (x1 - x0) * s.between(0.007, 0.03)
        s.box(x, y0, min(x + wide, x1), y1, ink)
        x += wide + (x1 - x0) * s.between(0.01, 0.028)


def business_card(s: Sheet) -> None:
    side = s.chance(0.5)
    if s.chance(0.6):
        s.box(0, 0, 0.06 if side else 1, 1 if side else 0.12, s.accent)
    x = 0.12 if side else 0.4
    s.icon(0.82 if side else 0.2, 0.32 if side else 0.5, 0.13, s.accent)
    s.text(x, 0.25, f"{s.name()} {s.one('Smith', 'Miller', 'Brown', 'Young')}", 0.12)
    s.text(x, 0.42, s.one("Manager", "Designer", "Engineer", "Sales"), 0.075, s.soft)
    s.lines(x, 0.62, x + 0.42, 3, 0.09)


def boarding_pass(s: Sheet) -> None:
    s.box(0, 0, 1, 0.2, s.accent)
    s.text(0.04, 0.1, s.one("BOARDING PASS", "Boarding Pass", "AIR TICKET"), 0.12, s.on(s.accent), "lm")
    s.text(0.74, 0.1, pick(s.rng, COMPANIES), 0.08, s.on(s.accent), "lm")
    a, b = s.rng.permutation(["JFK", "LHR", "CDG", "FRA", "NRT", "OSL", "ROM", "DXB"])[:2].tolist()
    s.text(0.05, 0.3, a, 0.2)
    s.polygon([(0.31, 0.37), (0.37, 0.4), (0.31, 0.43)], s.accent)
    s.line([(0.26, 0.4), (0.34, 0.4)], s.accent, 0.02)
    s.text(0.42, 0.3, b, 0.2)
    for x, y in ((0.05, 0.58), (0.25, 0.58), (0.45, 0.58), (0.05, 0.78), (0.25, 0.78)):
        s.lines(x, y, x + 0.12, 1, 0.06)
        s.text(x, y + 0.065, str(s.rng.integers(10, 99)) + s.one("A", "C", "F"), 0.09)
    for k in range(16):
        s.box(0.698, 0.02 + k / 16, 0.704, 0.05 + k / 16, s.soft)
    s.text(0.74, 0.3, f"{a}-{b}", 0.1)
    stripes(s, 0.75, 0.55, 0.95, 0.92)


def passport(s: Sheet) -> None:
    if s.chance(0.3):
        s.box(0, 0, 1, 1, pick(s.rng, ((110, 20, 35), (20, 40, 90), (20, 70, 50))))
        gold = (225, 190, 90)
        s.wide_text(0.5, 0.15, s.one("UNION", "REPUBLIC", "KINGDOM"), 0.6, 0.09, gold)
        s.disc(0.5, 0.48, 0.2, None, gold, 0.02)
        s.disc(0.5, 0.48, 0.1, gold)
        s.wide_text(0.5, 0.84, "PASSPORT", 0.6, 0.1, gold)
        return
    s.box(0, 0, 1, 1, canvas.mixed(s.accent, (255, 255, 255), 0.82))
    s.line([(0, 0.46), (1, 0.46)], s.soft)
    s.disc(0.5, 0.22, 0.14, None, canvas.mixed(s.accent, (255, 255, 255), 0.5), 0.03)
    s.text(0.06, 0.49, s.one("PASSPORT", "Passport"), 0.07, (30, 30, 60))
    s.portrait(0.06, 0.56, 0.36, 0.84)
    for k in range(5):
        s.lines(0.42, 0.57 + 0.055 * k, 0.42 + s.between(0.2, 0.45), 1, 0.035, (50, 50, 70))
    for y in (0.88, 0.93):
        s.text(0.06, y, "P<UTO" + s.name().upper() + "<<<<<<<<<<<<<<<", 0.055, (20, 20, 20))


def id_card(s: Sheet) -> None:
    s.box(0, 0, 1, 1, canvas.mixed(s.accent, s.paper, 0.85), round_by=0.08)
    s.box(0, 0, 1, 0.2, s.accent)
    s.text(
        0.05, 0.1, s.one("IDENTITY CARD", "STAFF", "MEMBER", "DRIVING LICENCE", "STUDENT ID"), 0.1, s.on(s.accent), "lm"
    )
    s.portrait(0.06, 0.3, 0.34, 0.86)
    s.text(0.42, 0.3, s.name(), 0.12)
    for k in range(4):
        s.lines(0.42, 0.48 + 0.1 * k, 0.42 + s.between(0.25, 0.5), 1, 0.07)


def credit_card(s: Sheet) -> None:
    ground = pick(s.rng, (s.accent, (25, 25, 30), (180, 150, 70), (150, 155, 165)))
    s.image.paste(
        canvas.gradient(s.image.size, ground, canvas.mixed(ground, (0, 0, 0), 0.35), s.between(0, 180)), (0, 0)
    )
    ink = (245, 245, 245)
    s.text(0.93, 0.1, s.one("BANK", "Union Bank", "Credit", "DEBIT"), 0.1, ink, "rt")
    s.box(0.08, 0.33, 0.21, 0.5, (220, 190, 100), (150, 120, 50), 0.03)
    s.line([(0.08, 0.415), (0.21, 0.415)], (150, 120, 50))
    s.text(0.08, 0.58, " ".join(str(n) for n in s.rng.integers(1000, 9999, 4)), 0.125, ink)
    s.text(0.08, 0.8, s.name().upper() + " SMITH", 0.08, ink)
    for x, colour in ((0.82, (235, 60, 50)), (0.9, (250, 170, 40))):
        s.disc(x, 0.82, 0.09, colour)


def envelope(s: Sheet) -> None:
    s.box(0, 0, 1, 1, pick(s.rng, ((245, 240, 225), (255, 255, 255), (220, 190, 140), (200, 215, 235))))
    ink = (60, 60, 70)
    if s.chance(0.5):
        s.line([(0, 0), (0.5, 0.55), (1, 0)], ink, 0.012)
        s.line([(0, 1), (0.38, 0.42)], ink, 0.008)
        s.line([(1, 1), (0.62, 0.42)], ink, 0.008)
        s.box(0, 0, 1, 1, None, ink, width=0.015)
        return
    s.lines(0.05, 0.08, 0.3, 2, 0.07, ink)
    s.box(0.82, 0.07, 0.95, 0.35, canvas.any_colour(s.rng), (255, 255, 255))
    for k in range(4):
        s.line([(0.58, 0.12 + 0.06 * k), (0.8, 0.12 + 0.06 * k)], ink)
    s.lines(0.42, 0.52, 0.78, 3, 0.1, ink)


def postcard(s: Sheet) -> None:
    if s.chance(0.4):
        s.photo(0, 0, 1, 1)
        s.wide_text(
            0.5, 0.25, f"Greetings from {s.one('Rome', 'Paris', 'the sea', 'Hawaii')}", 0.85, 0.16, (255, 255, 255)
        )
        return
    s.line([(0.53, 0.08), (0.53, 0.92)])
    for k in range(5):
        s.scribble(0.06, 0.22 + 0.15 * k, 0.47, 0.07, (30, 40, 120), 0.01)
    s.box(0.8, 0.08, 0.94, 0.34, canvas.any_colour(s.rng), s.soft)
    s.disc(0.76, 0.22, 0.12, None, s.soft)
    for k in range(4):
        s.line([(0.58, 0.5 + 0.12 * k), (0.94, 0.5 + 0.12 * k)], s.soft)


def ticket(s: Sheet) -> None:
    ground = canvas.any_colour(s.rng)
    s.box(0, 0, 1, 1, ground)
    ink, side = s.on(ground), s.paper
    for y in (0, 1):
        s.disc(0.75, y, 0.12, side)
    for x in (0, 1):
        s.disc(x, 0.5, 0.14, side)
    for k in range(8):
        s.box(0.745, 0.15 + 0.09 * k, 0.755, 0.19 + 0.09 * k, ink)
    s.box(0.08, 0.12, 0.7, 0.88, None, ink)
    s.wide_text(0.39, 0.4, s.one("TICKET", "ADMIT ONE", "CINEMA", "CONCERT", "MUSEUM"), 0.54, 0.26, ink)
    s.wide_text(0.39, 0.7, f"ROW {s.many(1, 30)}  SEAT {s.many(1, 60)}", 0.45, 0.12, ink)
    s.wide_text(0.87, 0.5, f"No {s.many(100, 999)}", 0.16, 0.14, ink)


def banknote(s: Sheet) -> None:
    tint = canvas.mixed(s.accent, (240, 240, 225), 0.55)
    s.box(0, 0, 1, 1, tint)
    dark = canvas.mixed(s.accent, (0, 0, 0), 0.35)
    s.box(0.03, 0.07, 0.97, 0.93, None, dark, width=0.02)
    value = s.one("5", "10", "20", "50", "100", "500")
    for x, y, anchor in ((0.06, 0.13, "lt"), (0.94, 0.13, "rt"), (0.06, 0.87, "ls"), (0.94, 0.87, "rs")):
        s.text(x, y, value, 0.2, dark, anchor)
    x = pick(s.rng, (0.36, 0.5))
    s.disc(x, 0.5, 0.36, canvas.mixed(tint, (255, 255, 255), 0.5), dark, 0.02)
    s.disc(x, 0.43, 0.12, dark)
    s.box(x - 0.08, 0.58, x + 0.08, 0.76, dark, round_by=0.05)
    s.wide_text(0.76, 0.5, s.one("DOLLARS", "EURO", "POUNDS", "CROWNS"), 0.26, 0.12, dark)


CARD_KINDS: dict[str, tuple[Callable[[Sheet], None], float]] = {
    "business card": (business_card, CARD),
    "boarding pass": (boarding_pass, WIDE),
    "passport": (passport, A4),
    "id card": (id_card, CARD),
    "credit card": (credit_card, CARD),
    "envelope": (envelope, 1.6),
    "postcard": (postcard, 1.45),
    "ticket": (ticket, WIDE),
    "banknote": (banknote, WIDE),
}
"""Kind → how it is laid out, and width / height."""
