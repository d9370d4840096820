"""Make the documents and screens of this folder.

Knows: what stands on each page, and how it is laid out. Does not know: slides and charts (make_charts.py), drawings,
sounds. All names, amounts and measurements are invented.

Run it with Pillow and numpy installed, and these Debian packages:

    apt install fonts-dejavu-core fonts-lato fonts-noto-core
    python make_pages.py            # writes next to this script
    python make_pages.py FOLDER     # writes there instead
"""

import argparse
import calendar
from pathlib import Path

import numpy as np
from make_samples import BLUE, GREY, INK, PALE, RED, TEAL, WHITE, few_colours, font, shrink
from PIL import Image, ImageDraw, ImageFont


def typeface(name, size):
    return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.BASIC)


def lato(size, bold=False):
    return typeface("Lato-Bold.ttf" if bold else "Lato-Regular.ttf", size)


def mono(size):
    return typeface("DejaVuSansMono.ttf", size)


def page(width, height, colour=WHITE):
    picture = Image.new("RGB", (width, height), colour)
    return picture, ImageDraw.Draw(picture)


# ── Documents ────────────────────────────────────────────────────────────────────────────────────────────────────────


def receipt():
    lines = (("Bread, rye", 3.20), ("Milk 1 l", 1.35), ("Apples 0.84 kg", 2.51), ("Cheese", 4.95),
             ("Coffee 250 g", 6.49), ("Tomatoes", 2.20), ("Chocolate", 1.99))  # fmt: skip
    picture, draw = page(420, 760, "#c9ced6")
    edge = [(40 + 10 * step, 730 - 10 * (step % 2)) for step in range(35)]
    draw.polygon([(40, 24), (380, 24), *reversed(edge)], fill="#fffef9")
    draw.text((210, 78), "CORNER SHOP", INK, typeface("DejaVuSansMono-Bold.ttf", 26), anchor="ms")
    draw.text((210, 106), "5 Market Street", INK, mono(16), anchor="ms")
    draw.text((210, 130), "14.05.2024   17:42", INK, mono(16), anchor="ms")
    draw.text((210, 160), "-" * 32, INK, mono(16), anchor="ms")
    for number, (what, price) in enumerate(lines):
        draw.text((62, 196 + 32 * number), what, INK, mono(18), anchor="ls")
        draw.text((358, 196 + 32 * number), f"{price:.2f}", INK, mono(18), anchor="rs")
    total = sum(price for _, price in lines)
    draw.text((210, 430), "-" * 32, INK, mono(16), anchor="ms")
    for y, what, sum_ in ((466, "TOTAL", total), (500, "CASH", 30.0), (530, "CHANGE", 30 - total)):
        face = typeface("DejaVuSansMono-Bold.ttf", 24) if what == "TOTAL" else mono(18)
        draw.text((62, y), what, INK, face, anchor="ls")
        draw.text((358, y), f"{sum_:.2f}", INK, face, anchor="rs")
    bars = np.random.default_rng(5).integers(1, 5, 60)
    for left, width in zip(np.cumsum(bars)[:-1:2] * 1.9 + 68, bars[1::2]):
        draw.rectangle([left, 570, left + width, 630], fill=INK)
    draw.text((210, 674), "Thank you, come again!", INK, mono(16), anchor="ms")
    return few_colours(picture)


LETTER = """\
Dear Mrs Lindqvist,

thank you for your visit last week and for the interest that you took in our
little workshop. We were glad to hear that the table has found its place by the
window of your new house.

As we agreed, we will build six chairs of the same oak. They will be ready in
the second week of October, and our driver will bring them to your door on
a day that suits you. The price that we named includes the delivery.

You asked how to care for the wood. A soft cloth and a little oil, twice
a year, are all that it needs; please keep it away from the stove. If a mark
should appear, write to us before you try to sand it.

We look forward to hearing from you.

Yours sincerely,
"""


def letter():
    picture, draw = page(744, 1052, "#fbfaf5")
    serif = typeface("DejaVuSerif.ttf", 17)
    draw.text((664, 96), "Hollis & Daughter, Joiners", INK, typeface("DejaVuSerif-Bold.ttf", 20), anchor="rs")
    draw.text((664, 122), "3 Sawmill Lane, Easterby", GREY, typeface("DejaVuSerif.ttf", 15), anchor="rs")
    for row, text in enumerate(("Mrs K. Lindqvist", "28 Lake View", "Norrby")):
        draw.text((76, 190 + 26 * row), text, INK, serif, anchor="ls")
    draw.text((664, 300), "12 August 2024", INK, serif, anchor="rs")
    for row, text in enumerate(LETTER.splitlines()):
        draw.text((76, 360 + 29 * row), text, INK, typeface("DejaVuSerif.ttf", 15), anchor="ls")
    wave = [(80 + x, 872 - 18 * np.sin(x / 9) * np.exp(-x / 90) - x / 14) for x in range(0, 170, 2)]
    draw.line(wave, fill="#1d3a8a", width=3, joint="curve")
    draw.text((76, 918), "Ruth Hollis", INK, serif, anchor="ls")
    return picture


def month():
    picture, draw = page(800, 640)
    draw.rectangle([0, 0, 800, 110], fill=RED)
    draw.text((400, 76), "May 2025", WHITE, lato(54, bold=True), anchor="ms")
    for column, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")):
        draw.text((78 + 107 * column, 150), name, RED if column == 6 else GREY, lato(22, bold=True), anchor="ms")
    for row, week in enumerate(calendar.Calendar().monthdayscalendar(2025, 5)):
        for column, day in enumerate(week):
            left, top = 25 + 107 * column, 168 + 90 * row
            draw.rectangle(
                [left, top, left + 107, top + 90], outline=PALE, width=2, fill="#fff3cd" if day == 16 else None
            )
            if day:
                draw.text((left + 12, top + 34), str(day), RED if column == 6 else INK, lato(26), anchor="ls")
    draw.text((25 + 107 * 4 + 10, 168 + 180 + 72), "Birthday", BLUE, lato(17, bold=True), anchor="ls")
    return few_colours(picture)


def sheet_music():
    """Four lines of piano music that nobody wrote, by chance from the scale of C major."""
    rng, step = np.random.default_rng(4), 7.0
    music = typeface("NotoMusic-Regular.ttf", 56)
    picture, draw = page(760, 860)
    draw.text((380, 74), "Little Waltz", INK, typeface("DejaVuSerif-Bold.ttf", 32), anchor="ms")
    draw.text((60, 116), "Moderato", INK, typeface("DejaVuSerif.ttf", 17), anchor="ls")
    for row in range(5):
        top, place = 160 + 134 * row, 4
        for line in range(5):
            draw.line([50, top + 2 * step * line, 710, top + 2 * step * line], fill=INK, width=1)
        draw.text((58, top + 6 * step), "\U0001d11e", INK, music, anchor="ls")
        for bar in range(4):
            left = 130 + 145 * bar
            draw.line([left + 145, top, left + 145, top + 8 * step], fill=INK, width=2)
            for beat in range(3):
                place = int(np.clip(place + rng.integers(-2, 3), 0, 8))
                note(draw, left + 26 + 44 * beat, top + 8 * step - place * step, up=place < 4)
        draw.line([50, top, 50, top + 8 * step], fill=INK, width=2)
    return few_colours(picture)


def note(draw, x, y, up):
    draw.polygon(
        [(x + 9 * np.cos(a) + 2 * np.sin(a), y + 6 * np.sin(a) - 2 * np.cos(a)) for a in np.linspace(0, 6.28, 24)], INK
    )
    stem, end = (x + 8, y - 46) if up else (x - 8, y + 46)
    draw.line([stem, y, stem, end], fill=INK, width=2)


def street_map():
    rng = np.random.default_rng(21)
    large, draw = page(4 * 800, 4 * 600, "#f2efe9")

    def street(points, wide, colour=WHITE, edge="#d3cdc2"):
        points = [(4 * x, 4 * y) for x, y in points]
        for width, ink in ((wide + 2, edge), (wide, colour)):
            draw.line(points, fill=ink, width=4 * width, joint="curve")

    draw.polygon([(4 * x, 4 * y) for x, y in ((470, 60), (700, 90), (680, 250), (500, 240))], fill="#b9dfae")
    draw.ellipse([4 * 560, 4 * 130, 4 * 640, 4 * 190], fill="#a5d3ea")
    for x in range(30, 800, 58):
        for y in range(30, 600, 52):
            if rng.random() < 0.75 and not (450 < x < 720 and 40 < y < 260):
                left, top = 4 * (x + rng.integers(0, 8)), 4 * (y + rng.integers(0, 8))
                draw.rectangle(
                    [left, top, left + 4 * rng.integers(16, 34), top + 4 * rng.integers(14, 28)], fill="#dcd3c6"
                )
    for x in (80, 196, 312, 428, 720):
        street([(x, -10), (x + 24, 610)], 10)
    for y in (74, 178, 282, 500):
        street([(-10, y), (810, y - 30)], 10)
    street([(-10, 440), (200, 400), (420, 420), (610, 360), (810, 380)], 34, "#a5d3ea", "#8fbfd8")
    street([(-10, 330), (300, 300), (520, 290), (810, 190)], 18, "#ffd98a", "#e0a94a")
    street([(360, -10), (380, 300), (330, 610)], 18, "#ffd98a", "#e0a94a")
    for radius, colour in ((18, RED), (7, WHITE)):
        draw.ellipse([4 * (520 - radius), 4 * (258 - radius), 4 * (520 + radius), 4 * (258 + radius)], fill=colour)
    draw.polygon([4 * 504, 4 * 266, 4 * 536, 4 * 266, 4 * 520, 4 * 292], fill=RED)
    draw.ellipse([4 * 513, 4 * 251, 4 * 527, 4 * 265], fill=WHITE)
    picture = shrink(large)
    pen = ImageDraw.Draw(picture)
    names = (
        (590, 112, "City Park", "#3f7d3a"),
        (120, 404, "River Arn", "#3b7ea1"),
        (96, 314, "Main Street", INK),
        (600, 470, "Harbour Road", INK),
    )
    for x, y, name, colour in names:
        pen.text((x, y), name, colour, lato(17, bold=True), anchor="ms", stroke_width=2, stroke_fill=WHITE)
    return picture


# ── Screens ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def login_screen():
    picture, draw = page(960, 620, "#e8edf5")
    draw.rounded_rectangle([300, 70, 660, 550], radius=16, fill=WHITE, outline="#cfd8e6")
    draw.ellipse([450, 100, 510, 160], fill=BLUE)
    draw.ellipse([470, 112, 490, 132], fill=WHITE)
    draw.chord([461, 134, 499, 172], 180, 360, fill=WHITE)
    draw.text((480, 206), "Sign in", INK, lato(32, bold=True), anchor="ms")
    for y, name, shown in ((238, "Email", "anna@example.com"), (322, "Password", "•" * 10)):
        draw.text((336, y + 14), name, GREY, lato(16), anchor="ls")
        draw.rounded_rectangle([336, y + 22, 624, y + 66], radius=6, outline="#aab6c8", width=2)
        draw.text((350, y + 51), shown, INK, font(17), anchor="ls")
    draw.rounded_rectangle([336, 416, 624, 464], radius=8, fill=BLUE)
    draw.text((480, 447), "Log in", WHITE, lato(21, bold=True), anchor="ms")
    draw.text((480, 502), "Forgot your password?", BLUE, lato(16), anchor="ms")
    return few_colours(picture)


def spreadsheet():
    head = ("Month", "Units", "Price", "Income", "Costs", "Profit")
    picture, draw = page(960, 540)
    draw.rectangle([0, 0, 960, 44], fill="#1d6f42")
    draw.text((20, 30), "Budget 2024", WHITE, lato(20, bold=True), anchor="ls")
    draw.rectangle([0, 44, 960, 80], fill="#f3f4f6")
    draw.text((20, 68), "fx   =D3-E3", GREY, font(15), anchor="ls")
    draw.rectangle([0, 80, 960, 108], fill="#e5e7eb")
    draw.rectangle([0, 108, 50, 540], fill="#e5e7eb")
    rng = np.random.default_rng(13)
    for column in range(8):
        x = 50 + 114 * column
        draw.line([x, 80, x, 540], fill="#c4c9d1")
        draw.text((x + 57, 100), "ABCDEFGH"[column], GREY, font(14), anchor="ms")
    for row in range(16):
        y = 108 + 27 * row
        draw.line([0, y, 960, y], fill="#c4c9d1")
        draw.text((25, y + 19), str(row + 1), GREY, font(13), anchor="ms")
        units, price = rng.integers(80, 400), rng.integers(12, 30)
        cells = (
            calendar.month_abbr[row % 13],
            units,
            price,
            units * price,
            (costs := rng.integers(700, 1900)),
            units * price - costs,
        )
        for column, text in enumerate(head if row == 0 else cells if row < 13 else ()):
            anchor, x = ("ls", 58) if column == 0 else ("rs", 156 + 114 * column)
            draw.text((x, y + 19), str(text), INK, font(14, bold=row == 0), anchor=anchor)
    draw.rectangle([50 + 114 * 5, 162, 50 + 114 * 6, 189], outline="#1d6f42", width=3)
    return few_colours(picture)


CODE = """\
import random

WORDS = ["apple", "river", "cloud"]

def guess(word):
    # Give the player six tries.
    tries = 6
    while tries > 0:
        letter = input("Letter: ")
        if letter in word:
            print("Yes!", letter)
        else:
            tries = tries - 1
            print("No,", tries, "left")
    return word

if __name__ == "__main__":
    guess(random.choice(WORDS))
"""
KEYWORDS = frozenset("import def while if else return in".split())


def code_editor():
    picture, draw = page(900, 600, "#1e1e2e")
    draw.rectangle([0, 0, 900, 40], fill="#11111b")
    draw.rectangle([180, 0, 330, 40], fill="#1e1e2e")
    draw.text((204, 26), "guess.py", "#cdd6f4", mono(15), anchor="ls")
    draw.rectangle([0, 40, 180, 600], fill="#181825")
    for row, name in enumerate(("project", "  guess.py", "  words.txt", "  README.md", "  tests")):
        draw.text((18, 72 + 28 * row), name, "#cdd6f4" if row == 1 else "#7f849c", mono(14), anchor="ls")
    for row, line in enumerate(CODE.splitlines()):
        y, x = 72 + 28 * row, 246.0
        draw.text((222, y), str(row + 1), "#585b70", mono(17), anchor="rs")
        for token in coloured(line):
            draw.text((x, y), token[0], token[1], mono(19), anchor="ls")
            x += mono(19).getlength(token[0])
    return few_colours(picture)


def coloured(line):
    """(piece, colour) of a line of code: comments, strings, numbers, key words, the rest."""
    if line.strip().startswith("#"):
        return [(line, "#7f849c")]
    found = []
    for number, piece in enumerate(line.split('"')):
        if number % 2:
            found.append((f'"{piece}"', "#a6e3a1"))
            continue
        for word in split_words(piece):
            colour = "#cba6f7" if word in KEYWORDS else "#fab387" if word.isdigit() else "#cdd6f4"
            found.append((word, colour))
    return found


def split_words(text):
    words, word = [], ""
    for sign in text:
        if word and sign.isalnum() != word[-1].isalnum():
            words.append(word)
            word = ""
        word += sign
    return [*words, word] if word else words


def chat():
    said = (("Are you coming tonight?", 0), ("Yes! When do we start?", 1), ("At eight. Bring a friend", 0),
            ("Great, I will bring Ben.", 1), ("Shall I bake a cake?", 1), ("Oh yes, please!", 0))  # fmt: skip
    picture, draw = page(450, 800, "#ece5dd")
    draw.rectangle([0, 0, 450, 84], fill="#075e54")
    draw.ellipse([18, 18, 66, 66], fill="#cfe8e3")
    draw.text((42, 53), "M", "#075e54", lato(28, bold=True), anchor="ms")
    draw.text((82, 44), "Maria", WHITE, lato(24, bold=True), anchor="ls")
    draw.text((82, 68), "online", "#cfe8e3", lato(16), anchor="ls")
    for row, (text, mine) in enumerate(said):
        wide, top = lato(21).getlength(text) + 36, 112 + 96 * row
        left = 450 - 20 - wide if mine else 20
        draw.rounded_rectangle([left, top, left + wide, top + 64], radius=16, fill="#dcf8c6" if mine else WHITE)
        draw.text((left + 18, top + 32), text, INK, lato(21), anchor="ls")
        draw.text((left + wide - 14, top + 55), f"18:{20 + 3 * row}", GREY, lato(13), anchor="rs")
    draw.rounded_rectangle([14, 728, 374, 782], radius=27, fill=WHITE)
    draw.text((40, 762), "Message", GREY, lato(20), anchor="ls")
    draw.ellipse([384, 728, 438, 782], fill=TEAL)
    draw.polygon([(402, 744), (402, 768), (424, 756)], fill=WHITE)
    return few_colours(picture)


PAGES = {
    "receipt.png": receipt,
    "letter.jpg": letter,
    "calendar.png": month,
    "sheet_music.png": sheet_music,
    "map.webp": street_map,
    "login_screen.png": login_screen,
    "spreadsheet.png": spreadsheet,
    "code_editor.png": code_editor,
    "chat.png": chat,
}
STORED = {"png": {"optimize": True}, "jpg": {"quality": 78, "optimize": True}, "webp": {"quality": 72, "method": 6}}


def write(pages, purpose):
    """Save every picture into the folder that the command line names.  pages: file → what draws it."""
    parser = argparse.ArgumentParser(description=purpose)
    here = Path(__file__).resolve().parent
    parser.add_argument("folder", nargs="?", type=Path, default=here, help="where to write")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in pages.items():
        make().save(folder / name, **STORED[name.rsplit(".", 1)[-1]])
    print(f"The pictures are in {folder}")


if __name__ == "__main__":
    write(PAGES, __doc__.splitlines()[0])
