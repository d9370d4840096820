"""Kinds of paper: letters, bills, cards, books, tickets.

Knows: what each looks like from a distance. Does not know: the pieces it is laid out with (sheet.py).
"""

from __future__ import annotations

from collections.abc import Callable

from . import canvas
from .cards import stripes
from .sheet import A4, COMPANIES, Sheet
from .wording import pick


def invoice(s: Sheet) -> None:
    if s.chance(0.4):
        s.box(0, 0, 1, 0.13, s.accent)
    s.text(
        0.08,
        0.05,
        s.one("INVOICE", "Invoice", "INVOICE", "Bill"),
        0.09,
        s.on(s.accent) if s.image.getpixel((2, 2)) == s.accent else s.ink,
    )
    s.text(0.92, 0.16, pick(s.rng, COMPANIES), 0.055, s.accent, "rt")
    s.lines(0.08, 0.17, 0.42, 3, 0.025)
    s.lines(0.65, 0.21, 0.92, 2, 0.025)
    rows = s.many(5, 9)
    bottom = 0.33 + 0.048 * rows
    s.table(0.08, 0.33, 0.92, bottom, 4, rows, True, s.chance(0.5))
    s.line([(0.55, bottom + 0.06), (0.92, bottom + 0.06)])
    s.text(0.56, bottom + 0.07, s.one("Total", "TOTAL", "Amount due"), 0.055)
    s.text(0.92, bottom + 0.07, s.money(), 0.055, None, "rt")
    s.lines(0.08, 0.92, 0.9, 2, 0.025)


def receipt(s: Sheet) -> None:
    s.wide_text(0.5, 0.06, pick(s.rng, COMPANIES), 0.7, 0.12)
    s.lines(0.25, 0.1, 0.75, 2, 0.022)
    s.line([(0.08, 0.17), (0.92, 0.17)], s.soft)
    rows, gap = s.many(8, 13), 0.045
    for k in range(rows):
        y = 0.19 + gap * k
        s.lines(0.08, y, 0.5, 1, gap * 0.8, s.ink)
        s.text(0.92, y, s.money(), 0.07, None, "rt")
    y = 0.2 + gap * rows
    s.line([(0.08, y), (0.92, y)], s.soft)
    s.text(0.08, y + 0.015, "TOTAL", 0.11)
    s.text(0.92, y + 0.015, s.money(), 0.11, None, "rt")
    if s.chance(0.5):
        stripes(s, 0.15, 0.91, 0.85, 0.97)
    else:
        s.wide_text(0.5, 0.94, s.one("Thank you!", "THANK YOU"), 0.6, 0.08)


def letter(s: Sheet) -> None:
    if s.chance(0.5):
        s.text(0.9, 0.06, pick(s.rng, COMPANIES), 0.06, s.accent, "rt")
    s.lines(0.1, 0.1, 0.38, 3, 0.024)
    s.text(0.9, 0.21, s.one("May 4", "12 June", "1 March", "Oct 9"), 0.035, None, "rt")
    s.text(0.1, 0.27, f"Dear {s.name()},", 0.042)
    y = 0.33
    for _ in range(s.many(2, 4)):
        y = s.lines(0.1, y, 0.9, s.many(3, 5), 0.026) + 0.022
    s.text(0.1, y, s.one("Yours sincerely,", "Kind regards,", "Best wishes,"), 0.04)
    s.scribble(0.1, y + 0.09, 0.38, 0.04, (30, 40, 120) if not s.dark else s.ink)


def newspaper(s: Sheet) -> None:
    s.wide_text(0.5, 0.06, s.one("The Daily News", "THE TIMES", "Morning Post", "The Herald", "DAILY STAR"), 0.84, 0.11)
    s.line([(0.04, 0.11), (0.96, 0.11)])
    s.line([(0.04, 0.125), (0.96, 0.125)])
    s.wide_text(0.5, 0.17, s.phrase(3).title(), 0.9, 0.09)
    columns = s.many(3, 5)
    wide = 0.92 / columns
    photo = s.many(0, columns - 2)
    for c in range(columns):
        x = 0.04 + c * wide
        top = 0.48 if photo <= c < photo + 2 else 0.23
        s.lines(x, top, x + wide * 0.92, int((0.97 - top) / 0.021), 0.021)
    s.photo(0.04 + photo * wide, 0.23, 0.04 + (photo + 2) * wide - 0.02, 0.46)


def menu(s: Sheet) -> None:
    s.wide_text(0.5, 0.08, s.one("MENU", "Menu", "Dinner Menu", "Bistro"), 0.6, 0.13, s.accent)
    s.line([(0.35, 0.14), (0.65, 0.14)], s.accent)
    y = 0.18
    while y < 0.85:
        s.wide_text(0.5, y + 0.02, s.one("Starters", "Mains", "Desserts", "Drinks", "Soups", "Pizza"), 0.4, 0.06)
        y += 0.055
        for _ in range(s.many(3, 4)):
            s.lines(0.12, y, s.between(0.45, 0.65), 1, 0.03, s.ink)
            s.text(0.88, y, s.money(), 0.04, None, "rt")
            y += 0.042
        y += 0.02
    if s.chance(0.5):
        s.box(0.03, 0.02, 0.97, 0.98, None, s.accent)


def certificate(s: Sheet) -> None:
    for edge in (0.025, 0.055):
        s.box(edge, edge * 1.3, 1 - edge, 1 - edge * 1.3, None, s.accent, width=0.016)
    s.wide_text(0.5, 0.23, s.one("CERTIFICATE", "Certificate", "DIPLOMA", "Diploma"), 0.62, 0.14, s.ink)
    s.lines(0.32, 0.34, 0.68, 1, 0.05)
    s.wide_text(0.5, 0.49, f"{s.name()} {s.one('Stone', 'Baker', 'Hill')}", 0.5, 0.12, s.accent)
    s.line([(0.25, 0.57), (0.75, 0.57)], s.soft)
    s.lines(0.25, 0.61, 0.75, 2, 0.05)
    s.scribble(0.16, 0.84, 0.36, 0.07)
    s.line([(0.14, 0.86), (0.38, 0.86)], s.soft)
    x, gold = s.between(0.6, 0.82), pick(s.rng, ((212, 160, 23), (190, 30, 45), (200, 170, 60)))
    for dx in (-0.03, 0.03):
        s.polygon([(x, 0.8), (x + dx * 2, 0.95), (x + dx * 0.4, 0.92)], gold)
    s.disc(x, 0.8, 0.095, gold)
    s.disc(x, 0.8, 0.07, None, (255, 245, 200))


def poster(s: Sheet) -> None:
    ground = canvas.any_colour(s.rng)
    s.box(0, 0, 1, 1, ground)
    ink, other = s.on(ground), canvas.any_colour(s.rng, (ground,))
    s.wide_text(
        0.5,
        0.15,
        s.one("CONCERT", "FESTIVAL", "JAZZ NIGHT", "SUMMER PARTY", "BIG SALE", "CIRCUS", "MARATHON"),
        0.86,
        0.24,
        ink,
    )
    kind = s.many(0, 2)
    if kind == 0:
        s.disc(0.5, 0.5, 0.32, other)
        s.polygon([(0.35, 0.65), (0.5, 0.35), (0.65, 0.65)], ground)
    elif kind == 1:
        s.photo(0.12, 0.28, 0.88, 0.7)
    else:
        for k in range(7):
            s.polygon([(0.5, 0.75), (k / 6 - 0.05, 0.27), (k / 6 + 0.05, 0.27)], other)
    s.wide_text(0.5, 0.8, s.one("12 MAY", "SATURDAY 8 PM", "JULY 4-6", "TONIGHT"), 0.6, 0.12, ink)
    s.lines(0.25, 0.88, 0.75, 2, 0.035, ink)


def form(s: Sheet) -> None:
    s.text(0.08, 0.05, s.one("Application form", "Registration", "FORM 12", "Questionnaire", "Survey"), 0.065)
    y = 0.15
    while y < 0.88:
        kind = s.many(0, 2)
        s.lines(0.08, y, 0.08 + s.between(0.15, 0.35), 1, 0.028, s.ink)
        if kind == 0:
            s.box(0.08, y + 0.032, 0.92, y + 0.075, None, s.soft)
        elif kind == 1:
            s.box(0.08, y + 0.032, 0.48, y + 0.075, None, s.soft)
            s.box(0.52, y + 0.032, 0.92, y + 0.075, None, s.soft)
        else:
            for k in range(3):
                s.box(0.08 + 0.28 * k, y + 0.035, 0.12 + 0.28 * k, y + 0.065, None, s.ink)
                s.lines(0.14 + 0.28 * k, y + 0.035, 0.3 + 0.28 * k, 1, 0.028)
        y += 0.105


def recipe(s: Sheet) -> None:
    s.text(
        0.07, 0.05, s.one("Apple Pie", "Tomato Soup", "Pancakes", "Recipe", "Carrot Cake", "Lasagne"), 0.09, s.accent
    )
    s.photo(0.55, 0.16, 0.94, 0.42)
    s.text(0.07, 0.17, "Ingredients", 0.05)
    for k in range(6):
        s.disc(0.09, 0.245 + 0.035 * k, 0.01, s.ink)
        s.lines(0.12, 0.23 + 0.035 * k, 0.12 + s.between(0.2, 0.38), 1, 0.03)
    s.text(0.07, 0.5, s.one("Method", "Directions"), 0.05)
    for k in range(4):
        s.text(0.07, 0.57 + 0.095 * k, f"{k + 1}.", 0.04)
        s.lines(0.14, 0.57 + 0.095 * k, 0.93, 2, 0.035)


def book_cover(s: Sheet) -> None:
    ground = canvas.any_colour(s.rng)
    s.box(0, 0, 1, 1, ground)
    s.box(0, 0, 0.05, 1, canvas.mixed(ground, (0, 0, 0), 0.3))
    ink = s.on(ground)
    s.wide_text(
        0.53,
        0.18,
        s.one("The Garden", "Winter Sea", "Last Train", "The Key", "Silent City", "Moonlight"),
        0.8,
        0.15,
        ink,
    )
    s.wide_text(0.53, 0.29, "A Novel", 0.3, 0.06, ink)
    if s.chance(0.5):
        s.photo(0.15, 0.38, 0.91, 0.8)
    else:
        s.disc(0.53, 0.58, s.between(0.15, 0.28), canvas.any_colour(s.rng, (ground,)))
    s.wide_text(0.53, 0.9, f"{s.name()} {s.one('Stone', 'Winter', 'Moore')}".upper(), 0.6, 0.08, ink)


def book_page(s: Sheet) -> None:
    top = 0.08
    if s.chance(0.4):
        s.wide_text(0.5, 0.13, f"Chapter {s.many(1, 20)}", 0.4, 0.08)
        top = 0.22
    s.lines(0.12, top, 0.88, int((0.91 - top) / 0.028), 0.028)
    s.text(0.5, 0.95, str(s.many(3, 400)), 0.035, None, "mm")


def paper(s: Sheet) -> None:
    s.wide_text(0.5, 0.06, s.phrase(4).title(), 0.8, 0.07)
    s.lines(0.3, 0.09, 0.7, 1, 0.025)
    s.lines(0.15, 0.13, 0.85, 4, 0.021)
    for x in (0.07, 0.52):
        y = 0.24
        while y < 0.88:
            s.lines(x, y, x + 0.18, 1, 0.025, s.ink)
            n = s.many(5, 9)
            y = s.lines(x, y + 0.028, x + 0.41, min(n, int((0.95 - y) / 0.02)), 0.02) + 0.012
            if y < 0.7 and s.chance(0.3):
                s.box(x, y, x + 0.41, y + 0.14, s.pale)
                s.line([(x + 0.05, y + 0.12), (x + 0.18, y + 0.06), (x + 0.36, y + 0.03)], s.accent)
                y += 0.16


def magazine(s: Sheet) -> None:
    if s.chance(0.5):
        s.portrait(0, 0, 1, 1)
    else:
        s.photo(0, 0, 1, 1)
    colour = pick(s.rng, ((230, 20, 60), (255, 255, 255), (20, 20, 20), (250, 210, 30)))
    s.wide_text(0.5, 0.1, s.one("VOGUE", "STYLE", "TRAVEL", "Living", "SPORT", "NATURE", "Woman"), 0.92, 0.24, colour)
    for k in range(s.many(2, 4)):
        s.lines(0.05, 0.35 + 0.15 * k, 0.38, 2, 0.045, pick(s.rng, ((255, 255, 255), (20, 20, 20))))
    s.lines(0.6, 0.75, 0.95, 2, 0.05, colour)
    s.box(0.78, 0.9, 0.96, 0.97, (255, 255, 255))
    stripes(s, 0.8, 0.91, 0.94, 0.96)


def cv(s: Sheet) -> None:
    s.box(0, 0, 0.34, 1, s.accent if s.chance(0.5) else s.pale)
    s.portrait(0.07, 0.05, 0.27, 0.22)
    s.lines(0.05, 0.28, 0.29, 5, 0.03, GREYISH)
    s.lines(0.05, 0.5, 0.29, 6, 0.03, GREYISH)
    s.text(0.4, 0.06, f"{s.name()} {s.one('Hill', 'Stone', 'Moore')}", 0.085)
    s.text(0.4, 0.13, s.one("Curriculum Vitae", "Résumé", "Engineer", "Teacher"), 0.045, s.accent)
    for k in range(4):
        y = 0.2 + 0.19 * k
        s.text(0.4, y, s.one("Experience", "Education", "Skills", "Languages", "Profile"), 0.05)
        s.line([(0.4, y + 0.042), (0.95, y + 0.042)], s.accent)
        s.lines(0.4, y + 0.05, 0.95, 4, 0.028)


GREYISH = (150, 150, 155)


def to_do(s: Sheet) -> None:
    s.text(0.08, 0.05, s.one("To do", "TO-DO", "Tasks", "Checklist", "Shopping list"), 0.1)
    n = s.many(6, 9)
    for k in range(n):
        y, size = 0.18 + 0.78 * k / n, 0.4 / n
        s.box(0.08, y, 0.08 + size, y + size * 0.72, None, s.ink, width=0.012)
        if s.chance(0.5):
            s.line(
                [(0.085, y + size * 0.3), (0.08 + size * 0.4, y + size * 0.65), (0.1 + size, y - size * 0.2)],
                s.accent,
                0.022,
            )
        s.lines(0.14 + size, y, s.between(0.55, 0.93), 1, size * 0.75, s.ink)


def note(s: Sheet) -> None:
    ground = pick(s.rng, ((255, 245, 150), (255, 255, 255), (253, 250, 235), (200, 230, 255), (255, 210, 220)))
    s.box(0, 0, 1, 1, ground)
    ink, gap = pick(s.rng, ((20, 30, 120), (20, 20, 25), (90, 20, 30), (60, 60, 65))), s.between(0.075, 0.11)
    ruled = s.chance(0.5)
    if ruled:
        s.line([(0.12, 0), (0.12, 1)], (235, 130, 130))
    y = 0.12
    while y < 0.95:
        if ruled:
            s.line([(0, y), (1, y)], (170, 195, 225), 0.005)
        if y < 0.85 or s.chance(0.5):
            x = 0.15
            while x < 0.85:
                long = s.between(0.08, 0.24)
                s.scribble(x, y - 0.006, min(x + long, 0.95), gap * 0.55, ink, 0.008)
                x += long + 0.035
        y += gap


def music(s: Sheet) -> None:
    if s.chance(0.6):
        s.wide_text(0.5, 0.05, s.one("Sonata", "Waltz", "Song", "Menuet", "Allegro"), 0.35, 0.08)
    staves = s.many(3, 6)
    for k in range(staves):
        top, gap = 0.12 + 0.85 * k / staves, 0.36 / staves / 5
        for row in range(5):
            s.line([(0.05, top + row * gap), (0.95, top + row * gap)], s.ink, 0.005)
        s.line([(0.05, top), (0.05, top + 4 * gap)], s.ink, 0.012)
        s.line(
            [(0.09, top + 5 * gap), (0.1, top - gap), (0.12, top), (0.085, top + 2.6 * gap), (0.115, top + 3 * gap)],
            s.ink,
            0.012,
        )
        before = None
        for i in range(s.many(6, 11)):
            x, y = 0.17 + 0.075 * i, top + gap * s.many(0, 8) / 2
            s.disc(x, y, gap * s.height / s.unit * 0.55, s.ink)
            stem = (x + 0.011 * s.unit / s.width * 1.2, y - 3 * gap)
            s.line([(stem[0], y), stem], s.ink, 0.007)
            if before and s.chance(0.4):
                s.line([before, stem], s.ink, 0.016)
            before = stem
            if s.chance(0.2):
                s.line([(x + 0.035, top), (x + 0.035, top + 4 * gap)], s.ink, 0.006)


def comic(s: Sheet) -> None:
    rows, y = s.many(2, 3), 0.02
    for _ in range(rows):
        columns, high, x = s.many(1, 3), 0.96 / rows, 0.03
        for _ in range(columns):
            wide = 0.94 / columns
            x1, y1 = x + wide - 0.02, y + high - 0.02
            s.box(x, y, x1, y1, canvas.any_colour(s.rng), (0, 0, 0), width=0.014)
            fx, fy = x + wide * 0.45, y + high * 0.68
            s.disc(fx, fy, 0.07, (250, 215, 180), (0, 0, 0))
            s.line([(fx, fy + 0.05), (fx, y1)], (0, 0, 0), 0.03)
            for dx in (-0.022, 0.022):
                s.disc(fx + dx, fy - 0.006, 0.011, (0, 0, 0))
            bubble = (x + wide * 0.1, y + high * 0.08, x + wide * 0.82, y + high * 0.36)
            s.polygon(
                [(fx - 0.03, bubble[3] - 0.02), (fx + 0.03, bubble[3] - 0.02), (fx, fy - 0.05)],
                (255, 255, 255),
                (0, 0, 0),
            )
            s.box(*bubble, (255, 255, 255), (0, 0, 0), 0.05)
            s.lines(bubble[0] + 0.03, bubble[1] + 0.02, bubble[2] - 0.03, 2, high * 0.09, (40, 40, 40))
            x += wide
        y += high


PAPER_KINDS: dict[str, tuple[Callable[[Sheet], None], float]] = {
    "invoice": (invoice, A4), "receipt": (receipt, 0.45), "letter": (letter, A4), "newspaper": (newspaper, A4),
     "menu": (menu, A4), "certificate": (certificate, 1.41),

     "poster": (poster, A4), "form": (form, A4), "recipe": (recipe, A4),
    "book cover": (book_cover, A4), "book page": (book_page, A4), "paper": (paper, A4), "magazine": (magazine, A4),
    "cv": (cv, A4), "to-do": (to_do, A4), "note": (note, 1.0), "music": (music, 0.85), "comic": (comic, A4),

}  # fmt: skip
"""Kind → how it is laid out, and width / height."""
