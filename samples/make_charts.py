"""Make the slides and charts of this folder.

Knows: the numbers, and how they are drawn. Does not know: documents and screens (make_pages.py), drawings, sounds. All
names and numbers are invented.

Run it with Pillow, numpy and matplotlib installed, and these Debian packages:

    apt install fonts-dejavu-core fonts-lato
    python make_charts.py            # writes next to this script
    python make_charts.py FOLDER     # writes there instead
"""

import io

import matplotlib
import numpy as np
from make_pages import lato, page, write
from make_samples import GREY, INK, RED, WHITE, few_colours, shrink
from PIL import Image

matplotlib.use("Agg")
from matplotlib import pyplot as plt

plt.rcParams.update({"font.family": "DejaVu Sans"})


# ── Slides ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def slide_sales_up():
    years = {"2019": 2.1, "2020": 2.8, "2021": 3.3, "2022": 4.2, "2023": 5.1, "2024": 6.4}
    picture, draw = page(960, 540)
    draw.rectangle([0, 0, 18, 540], fill="#2e7d32")
    draw.text((60, 72), "Sales keep growing", INK, lato(44, bold=True), anchor="ls")
    draw.text((60, 108), "Revenue by year, in million euros", GREY, lato(22), anchor="ls")
    bottom, step = 470, 92
    for number, (name, value) in enumerate(years.items()):
        x, y = 70 + step * number, bottom - 48 * value
        draw.rectangle([x, y, x + 56, bottom], fill="#66bb6a" if number < 5 else "#2e7d32")
        draw.text((x + 28, y - 8), f"{value:.1f}", INK, lato(20), anchor="ms")
        draw.text((x + 28, bottom + 28), name, GREY, lato(20), anchor="ms")
    draw.line([60, bottom, 620, bottom], fill=INK, width=2)
    draw.line([86, 334, 492, 140], fill=RED, width=6)
    draw.polygon([(518, 128), (486, 126), (498, 154)], fill=RED)
    for number, point in enumerate(("+205 % in five years", "38 new customers", "Two new countries")):
        y = 210 + 84 * number
        draw.ellipse([668, y - 18, 692, y + 6], fill="#2e7d32")
        draw.text((708, y + 2), point, INK, lato(23), anchor="ls")
    return few_colours(picture)


def slide_team():
    people = (
        ("Anna Berg", "Design"),
        ("Tom Okafor", "Engineering"),
        ("Mei Tanaka", "Research"),
        ("Luis Prado", "Support"),
    )
    picture, draw = page(960, 540, "#fdf6ec")
    draw.text((480, 90), "Our team", INK, lato(46, bold=True), anchor="ms")
    draw.line([420, 112, 540, 112], fill="#e76f51", width=5)
    large, pen = page(4 * 960, 4 * 540, "#fdf6ec")
    colours = ("#2a9d8f", "#e9c46a", "#457b9d", "#e76f51")
    for number, colour in enumerate(colours):
        x, y = 4 * (156 + 216 * number), 4 * 260
        pen.ellipse([x - 320, y - 320, x + 320, y + 320], fill=colour)
        pen.ellipse([x - 104, y - 200, x + 104, y + 8], fill=WHITE)
        pen.chord([x - 208, y + 40, x + 208, y + 456], 180, 360, fill=WHITE)
    picture.paste(shrink(large).crop((0, 170, 960, 350)), (0, 170))
    for number, (name, role) in enumerate(people):
        x = 156 + 216 * number
        draw.text((x, 394), name, INK, lato(24, bold=True), anchor="ms")
        draw.text((x, 426), role, GREY, lato(20), anchor="ms")
    return few_colours(picture)


def slide_agenda():
    items = (("09:00", "Welcome and coffee"), ("09:30", "Results of the year"), ("10:45", "New products"),
             ("12:00", "Lunch"), ("13:30", "Workshops"), ("16:00", "Questions and next steps"))  # fmt: skip
    picture, draw = page(960, 540, "#1b2a49")
    draw.rectangle([0, 0, 300, 540], fill="#f4a261")
    draw.text((48, 290), "Agenda", "#1b2a49", lato(58, bold=True), anchor="ls")
    for number, (hour, what) in enumerate(items):
        y = 88 + 76 * number
        draw.text((352, y), hour, "#f4a261", lato(26, bold=True), anchor="ls")
        draw.text((452, y), what, WHITE, lato(28), anchor="ls")
        draw.line([352, y + 22, 900, y + 22], fill="#3c4d73", width=1)
    return picture


# ── Charts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def plotted(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    plt.close(figure)
    return Image.open(file).convert("RGB")


def axes(width, height, title="", across="", up=""):
    figure, ax = plt.subplots(figsize=(width / 100, height / 100), dpi=100, layout="tight")
    ax.set_title(title, fontsize=16)
    ax.set_xlabel(across, fontsize=12)
    ax.set_ylabel(up, fontsize=12)
    ax.spines[["top", "right"]].set_visible(False)
    return figure, ax


def chart_rising_line():
    years = np.arange(2012, 2025)
    figure, ax = axes(720, 480, "Visitors of the museum", "Year", "Thousand visitors")
    ax.plot(years, 40 + 9.5 * (years - 2012) + 6 * np.sin(years * 1.7), color="#1565c0", linewidth=3, marker="o")
    ax.set_ylim(0, 175)
    ax.grid(alpha=0.3)
    return few_colours(plotted(figure))


def chart_falling_bars():
    figure, ax = axes(680, 480, "Letters sent by post", "", "Million")
    years = ["2016", "2017", "2018", "2019", "2020", "2021", "2022", "2023"]
    ax.bar(years, [96, 88, 81, 70, 58, 49, 37, 24], color="#e76f51", width=0.7)
    return few_colours(plotted(figure))


def pie_chart():
    figure, ax = axes(600, 520, "How we travel to work")
    shares = {"Train": 38, "Bicycle": 24, "Car": 20, "On foot": 11, "Bus": 7}
    colours = ["#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51"]
    _, _, numbers = ax.pie(list(shares.values()), labels=list(shares), colors=colours, autopct="%d%%", startangle=90,
                           counterclock=False, wedgeprops={"edgecolor": "white", "linewidth": 2})  # fmt: skip
    plt.setp(numbers, color="white", fontweight="bold")
    return few_colours(plotted(figure))


def scatter_plot():
    rng = np.random.default_rng(7)
    figure, ax = axes(640, 480, "Height and weight", "Height (cm)", "Weight (kg)")
    height = rng.normal(171, 9, 140)
    ax.scatter(height, 70 + 0.85 * (height - 171) + rng.normal(0, 6, 140), s=34, color="#7b2cbf", alpha=0.65)
    return few_colours(plotted(figure))


def histogram():
    rng = np.random.default_rng(11)
    figure, ax = axes(640, 460, "Points in the final exam", "Points", "Students")
    ax.hist(np.clip(rng.normal(61, 13, 400), 5, 100), bins=18, color="#00897b", edgecolor="white")
    return plotted(figure)


def stacked_bars():
    figure, ax = axes(720, 480, "Electricity by source", "", "Terawatt hours")
    years, below = ["2019", "2020", "2021", "2022", "2023"], np.zeros(5)
    sources = {
        "Coal": (40, 33, 30, 24, 17),
        "Gas": (30, 31, 28, 25, 22),
        "Wind": (18, 22, 26, 31, 38),
        "Sun": (8, 11, 15, 20, 26),
    }
    for (name, made), colour in zip(sources.items(), ("#5c5470", "#c06c84", "#6cc4ef", "#ffd166")):
        ax.bar(years, made, bottom=below, label=name, color=colour, width=0.65)
        below = below + made
    ax.set_ylim(0, 135)
    ax.legend(ncols=4, loc="upper center", frameon=False)
    return plotted(figure)


CHARTS = {
    "slide_sales_up.png": slide_sales_up,
    "slide_team.png": slide_team,
    "slide_agenda.jpg": slide_agenda,
    "chart_rising_line.png": chart_rising_line,
    "chart_falling_bars.png": chart_falling_bars,
    "pie_chart.png": pie_chart,
    "scatter_plot.png": scatter_plot,
    "histogram.jpg": histogram,
    "stacked_bars.webp": stacked_bars,
}

if __name__ == "__main__":
    write(CHARTS, __doc__.splitlines()[0])
