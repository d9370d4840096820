"""Make the samples that tests and documents name: sentences, pictures, sounds and a video.

Knows: what each sample shows, and the two programs that speak and encode. Does not know: manysense, tests, models; the
other samples (make_drawings.py, make_charts.py, make_pages.py, make_sounds.py).

Run it with Pillow, numpy and soundfile installed, and these Debian packages:

    apt install espeak-ng ffmpeg fonts-dejavu-core
    python make_samples.py            # writes next to this script
    python make_samples.py FOLDER     # writes there instead

Everything random is seeded, so the same versions of the programs give the same bytes again.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

INK, GREY, PALE, RED, BLUE, TEAL = "#1f2933", "#6b7785", "#dfe4ea", "#d62828", "#1d4ed8", "#0f766e"
WHITE, SUNNY = "#ffffff", "#ffd166"
SMOOTH = 4  # shapes are drawn this much larger and scaled down, for soft edges

# Eight topics of three lines. The first two lines of a topic are paraphrases; the third is on the topic only.
SENTENCES = """\
It will rain in the mountains tomorrow.
Tomorrow, expect showers over the high peaks.
The weather forecast promises a sunny and dry weekend.
Fry the onions gently in butter until they are golden.
Cook the onions in butter over a low heat until they turn brown.
Let the bread dough rise for an hour before you bake it.
The Moon passes between the Earth and the Sun during a solar eclipse.
In a solar eclipse, the Sun is hidden behind the Moon.
Through the telescope we could see the rings of Saturn.
The program crashed because it ran out of memory.
Too little RAM was available, so the software stopped with an error.
The developer fixed a bug in the program and ran the tests again.
A small dog is chasing a cat across the garden.
The puppy runs after a cat in the yard.
A kitten and an old dog sleep side by side in the garden.
The pianist played a slow melody at the concert.
At the recital, a quiet tune was performed on the piano.
The drummer of the band keeps a steady beat.
Our train to Paris leaves at eight in the morning.
The morning train departs for Paris at 8 a.m.
Passengers waited at the station for the delayed train to Rome.
The central bank raised interest rates by half a percent.
Interest rates were increased by 0.5% by the central bank.
The company reported a higher profit for the third quarter.
"""


# ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def font(size, bold=False):
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.BASIC)  # BASIC: the same on every build


def shrink(picture):
    return picture.resize((picture.width // SMOOTH, picture.height // SMOOTH), Image.Resampling.LANCZOS)


def few_colours(picture):
    """The same picture with a palette of 64, which flat drawings do not exceed visibly, in a fraction of the bytes."""
    return picture.quantize(64, dither=Image.Dither.NONE)


def scaled(*numbers):
    return [number * SMOOTH for number in numbers]


def gradient(width, height, stops):
    """A picture whose colour changes from top to bottom. stops: (position 0..1, (red, green, blue)), from the top."""
    where, colours = zip(*stops)
    rows = np.linspace(0, 1, height)
    column = np.stack([np.interp(rows, where, channel) for channel in zip(*colours)], axis=1)  # (height, 3)
    return Image.fromarray(np.repeat(column[:, None], width, axis=1).round().astype(np.uint8))


def ridge(width, base, waves):
    """Points along a hilly line. waves: (height in pixels, waves per picture width, phase), added to `base`."""
    across = np.arange(0, width + SMOOTH, SMOOTH)
    turns = across / width
    heights = base - sum(high * np.sin(2 * np.pi * (often * turns + phase)) for high, often, phase in waves)
    return [(int(x), float(y)) for x, y in zip(across, heights)]


def fill_below(draw, line, bottom, colour):
    draw.polygon([*line, (line[-1][0], bottom), (line[0][0], bottom)], fill=colour)


def pine(draw, x, foot, height, colour):
    draw.rectangle([x - height * 0.04, foot - height * 0.15, x + height * 0.04, foot], fill="#4a3426")
    for low, high, half in ((0.10, 0.52, 0.26), (0.33, 0.76, 0.20), (0.58, 1.00, 0.14)):
        left, right = x - height * half, x + height * half
        draw.polygon([(left, foot - height * low), (right, foot - height * low), (x, foot - height * high)], colour)


# ── Pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def red_circle():
    picture = Image.new("RGB", scaled(256, 256), WHITE)
    ImageDraw.Draw(picture).ellipse(scaled(40, 40, 216, 216), fill=RED)
    return shrink(picture)


def blue_square():
    """A half-covering glass edge around a solid square, on nothing at all: alpha 0, 128 and 255."""
    picture = Image.new("RGBA", (256, 256), (29, 78, 216, 0))
    draw = ImageDraw.Draw(picture)
    draw.rectangle([40, 40, 215, 215], fill=(29, 78, 216, 128))
    draw.rectangle([56, 56, 199, 199], fill=(29, 78, 216, 255))
    return picture


def bar_chart():
    months = {"Jan": 82, "Feb": 61, "Mar": 54, "Apr": 43, "May": 38, "Jun": 29}
    picture = Image.new("RGB", (640, 420), WHITE)
    draw = ImageDraw.Draw(picture)
    left, right, top, bottom, highest = 80, 612, 84, 346, 100
    draw.text(((left + right) / 2, 38), "Rainfall per month, 2023", INK, font(24, bold=True), anchor="mm")
    for value in range(0, highest + 1, 20):
        y = bottom - (bottom - top) * value / highest
        draw.line([left, y, right, y], fill=PALE, width=1)
        draw.text((left - 10, y), str(value), GREY, font(15), anchor="rm")
    step = (right - left) / len(months)
    for number, (month, value) in enumerate(months.items()):
        middle = left + step * (number + 0.5)
        y = bottom - (bottom - top) * value / highest
        draw.rectangle([middle - 28, y, middle + 28, bottom], fill=BLUE)
        draw.text((middle, y - 6), str(value), INK, font(15), anchor="mb", stroke_width=3, stroke_fill=WHITE)
        draw.text((middle, bottom + 10), month, INK, font(16), anchor="ma")
    draw.line([left, top, left, bottom, right, bottom], fill=INK, width=2)
    draw.text(((left + right) / 2, 398), "Month", INK, font(16), anchor="mm")
    label = Image.new("RGB", (160, 24), WHITE)
    ImageDraw.Draw(label).text((80, 12), "Rainfall (mm)", INK, font(16), anchor="mm")
    picture.paste(label.transpose(Image.Transpose.ROTATE_90), (14, 135))
    return few_colours(picture)


def slide():
    points = [
        "Search photos with a plain sentence",
        "Find the page that answers a question",
        "Match a sound to the clip it came from",
        "One vector space for every medium",
    ]
    picture = Image.new("RGB", (960, 540), WHITE)
    draw = ImageDraw.Draw(picture)
    draw.rectangle([0, 0, 959, 117], fill=TEAL)
    draw.text((64, 60), "Why multimodal search?", WHITE, font(42, bold=True), anchor="lm")
    for number, point in enumerate(points):
        y = 188 + 74 * number
        draw.text((66, y), "•", TEAL, font(44), anchor="lm")
        draw.text((108, y), point, INK, font(29), anchor="lm")
    draw.line([64, 478, 896, 478], fill=PALE, width=2)
    draw.text((64, 508), "Spring workshop", GREY, font(17), anchor="lm")
    draw.text((896, 508), "3 / 12", GREY, font(17), anchor="rm")
    return few_colours(picture)


def invoice():
    lines = [("Field guide to mountain birds", 2, 18.50), ("Star atlas, second edition", 1, 42.00)]
    lines += [("Notebook, dotted, A5", 5, 4.20), ("Postage and packing", 1, 6.90)]
    net = sum(count * price for _, count, price in lines)
    picture = Image.new("RGB", (744, 1052), WHITE)
    draw = ImageDraw.Draw(picture)

    def write(x, y, text, size=16, bold=False, colour=INK, anchor="ls"):
        draw.text((x, y), text, colour, font(size, bold), anchor=anchor)

    write(64, 100, "Blue Heron Books", 26, bold=True, colour=TEAL)
    write(64, 126, "12 Harbour Lane, Northhaven", colour=GREY)
    write(680, 100, "INVOICE", 30, bold=True, anchor="rs")
    for row, (name, value) in enumerate({"Number": "2023-0417", "Date": "3 May 2023", "Due": "2 June 2023"}.items()):
        write(500, 156 + 26 * row, name, colour=GREY)
        write(680, 156 + 26 * row, value, anchor="rs")
    for row, text in enumerate(["Bill to", "Riverside School Library", "8 Mill Road", "Northhaven"]):
        write(64, 208 + 26 * row, text, bold=row == 1, colour=INK if row else GREY)

    draw.rectangle([64, 340, 680, 376], fill=PALE)
    for x, text, anchor in ((78, "Item", "ls"), (440, "Qty", "rs"), (556, "Price", "rs"), (666, "Amount", "rs")):
        write(x, 364, text, bold=True, anchor=anchor)
    for row, (name, count, price) in enumerate(lines):
        y = 412 + 44 * row
        write(78, y, name)
        for x, text in ((440, str(count)), (556, f"{price:.2f}"), (666, f"{count * price:.2f}")):
            write(x, y, text, anchor="rs")
        draw.line([64, y + 16, 680, y + 16], fill=PALE)
    tax = round(net * 0.2, 2)
    for row, (name, value) in enumerate({"Subtotal": net, "VAT 20%": tax, "Total": net + tax}.items()):
        y = 622 + 34 * row + 10 * (name == "Total")
        write(556, y, name, 19 if name == "Total" else 16, name == "Total", anchor="rs")
        write(666, y, f"{value:.2f}", 19 if name == "Total" else 16, name == "Total", anchor="rs")
    draw.line([440, 672, 680, 672], fill=INK, width=2)
    write(64, 800, "All amounts in euros. Please pay within 30 days.")
    write(64, 828, "Bank transfer: Northhaven Savings, reference 2023-0417.")
    draw.line([64, 972, 680, 972], fill=PALE)
    write(372, 1000, "Thank you for reading with us.", colour=GREY, anchor="ms")
    return picture


def landscape():
    """A morning in the hills, 480 × 320, upright. Sky, sun, clouds, three hills, pines and birds."""
    width, height = scaled(480, 320)
    picture = gradient(width, height, [(0, (74, 144, 217)), (0.38, (160, 205, 240)), (0.62, (255, 226, 184))])
    glow = Image.new("L", picture.size, 0)
    ImageDraw.Draw(glow).ellipse(scaled(290, 50, 430, 190), fill=150)
    picture.paste("#fff1b8", mask=glow.filter(ImageFilter.GaussianBlur(26 * SMOOTH)))
    ImageDraw.Draw(picture).ellipse(scaled(330, 90, 390, 150), fill=SUNNY)

    clouds = Image.new("L", picture.size, 0)
    draw = ImageDraw.Draw(clouds)
    for x, y, size in ((90, 70, 1.0), (226, 44, 0.7), (440, 62, 0.6)):
        for right, down, radius in ((-34, 6, 16), (-12, -4, 22), (14, 0, 20), (36, 7, 14)):
            cx, cy, r = x + right * size, y + down * size, radius * size
            draw.ellipse(scaled(cx - r, cy - r * 0.7, cx + r, cy + r * 0.7), fill=225)
    picture.paste(WHITE, mask=clouds.filter(ImageFilter.GaussianBlur(2 * SMOOTH)))

    draw = ImageDraw.Draw(picture)
    peaks = [(0, 205), (58, 146), (96, 178), (152, 118), (214, 184), (262, 152), (330, 200), (396, 160), (480, 206)]
    fill_below(draw, [tuple(scaled(*peak)) for peak in peaks], height, "#8fa8c4")
    draw.polygon(scaled(152, 118, 133, 138, 143, 135, 151, 143, 160, 134, 171, 138), fill="#f4f8fc")
    draw.polygon(scaled(58, 146, 46, 158, 54, 156, 61, 161, 72, 158), fill="#f4f8fc")
    hills = [(212, (14, 1.2, 0.1), "#6fae72"), (244, (20, 0.9, 0.55), "#4c9656"), (284, (16, 1.1, 0.2), "#2f7a43")]
    for base, (high, often, phase), colour in hills:
        waves = [(high * SMOOTH, often, phase), (3 * SMOOTH, often * 3.1, phase)]
        fill_below(draw, ridge(width, base * SMOOTH, waves), height, colour)
    for x, foot, size in ((40, 282, 62), (76, 290, 84), (112, 300, 56), (402, 292, 76), (440, 284, 96), (366, 306, 48)):
        pine(draw, *scaled(x, foot, size), "#1f5132")
    for x, y, span in ((236, 92, 9), (258, 82, 7), (272, 98, 6)):
        draw.arc(scaled(x - span * 2, y - span / 2, x, y + span), 200, 340, fill=INK, width=SMOOTH)
        draw.arc(scaled(x, y - span / 2, x + span * 2, y + span), 200, 340, fill=INK, width=SMOOTH)
    return shrink(picture)


def night_sky():
    """Stars, a band of the Milky Way and a crescent moon over dark hills, 480 × 320."""
    rng = np.random.default_rng(1609)
    width, height = scaled(480, 320)
    picture = gradient(width, height, [(0, (6, 10, 34)), (0.6, (22, 34, 84)), (0.85, (58, 66, 120))])
    rows, columns = np.mgrid[0:320, 0:480]
    away = (rows - 230 + columns * 0.5) / 46  # distance from the middle of the band, in its own widths
    cloudy = np.asarray(Image.fromarray(rng.uniform(0, 255, (20, 30)).astype(np.uint8)).resize((480, 320))) / 255
    band = Image.fromarray((95 * np.exp(-(away**2)) * (0.45 + 0.55 * cloudy)).astype(np.uint8))
    picture.paste("#b9c4f0", mask=band.resize(picture.size))
    draw = ImageDraw.Draw(picture)
    for x, y, chance in rng.uniform(0, 1, (260, 3)):
        radius, light = 0.4 + 1.1 * chance**6, int(130 + 125 * chance)
        cx, cy = 480 * x, 270 * y
        if (cx - 378) ** 2 + (cy - 66) ** 2 < 36**2:
            continue  # behind the moon
        draw.ellipse(
            scaled(cx - radius, cy - radius, cx + radius, cy + radius), fill=(light, light, min(255, light + 20))
        )

    moon = Image.new("L", picture.size, 0)
    ImageDraw.Draw(moon).ellipse(scaled(352, 40, 404, 92), fill=255)
    shadow = Image.new("L", picture.size, 0)
    ImageDraw.Draw(shadow).ellipse(scaled(338, 32, 390, 84), fill=255)
    crescent = ImageChops.subtract(moon, shadow)
    halo = crescent.filter(ImageFilter.GaussianBlur(12 * SMOOTH))
    picture.paste("#fff4d0", mask=halo)
    picture.paste("#fff4d0", mask=crescent)

    for base, phase, colour in ((264, 0.15, "#141b3a"), (292, 0.6, "#0a0e22")):
        waves = [(14 * SMOOTH, 1.1, phase), (4 * SMOOTH, 3.7, phase)]
        fill_below(draw, ridge(width, base * SMOOTH, waves), height, colour)
    return shrink(picture)


def traffic_light():
    """Three frames of 64 × 64: red, amber, green."""
    lamps = ((16, "#ff3b30"), (32, "#ffb800"), (48, "#34c759"))
    frames = []
    for lit, _ in enumerate(lamps):
        frame = Image.new("RGB", scaled(64, 64), WHITE)
        draw = ImageDraw.Draw(frame)
        draw.rounded_rectangle(scaled(20, 3, 44, 61), radius=6 * SMOOTH, fill=INK)
        for number, (y, colour) in enumerate(lamps):
            draw.ellipse(scaled(25, y - 7, 39, y + 7), fill=colour if number == lit else "#46525f")
        frames.append(few_colours(shrink(frame)))
    return frames


def write_pictures(folder):
    red_circle().save(folder / "red_circle.png", optimize=True)
    blue_square().save(folder / "blue_square.png", optimize=True)
    bar_chart().save(folder / "bar_chart.png", optimize=True)
    slide().save(folder / "slide.png", optimize=True)
    invoice().save(folder / "invoice.webp", quality=60, method=6)

    lying = landscape().transpose(Image.Transpose.ROTATE_90)  # as a camera held sideways stores it
    orientation = Image.Exif()
    orientation[0x0112] = 6  # "turn a quarter clockwise to see it upright"
    lying.save(folder / "landscape.jpg", quality=84, optimize=True, exif=orientation)

    night = night_sky()
    night.save(folder / "night_sky.jpg", quality=84, progressive=True, optimize=True)
    night.resize((180, 120), Image.Resampling.LANCZOS).convert("CMYK").save(folder / "cmyk.jpg", quality=80)

    first, *others = traffic_light()
    first.save(folder / "icon.gif", save_all=True, append_images=others, duration=500, loop=0)


# ── Sounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def ffmpeg(*arguments, fed=None):
    """Run ffmpeg without version stamps and on one thread, so that it writes the same bytes every time."""
    command = ["ffmpeg", "-v", "error", "-y", *arguments[:-1], "-threads", "1", "-fflags", "+bitexact"]
    command += ["-flags:v", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1", arguments[-1]]
    subprocess.run(command, input=fed, check=True)


def speak(text, voice, path):
    subprocess.run(["espeak-ng", "-v", voice, "-w", path, text], check=True)


def bell(rate, seconds):
    """A struck bell: partials out of tune with each other, the high ones dying first. Returns (samples, 2), ±0.8."""
    time = np.arange(round(rate * seconds)) / rate
    partials = (
        (0.5, 0.35, 2.2),
        (1.0, 1.0, 3.2),
        (1.19, 0.5, 4.0),
        (2.0, 0.6, 5.5),
        (2.74, 0.35, 7.5),
        (4.07, 0.2, 11),
    )
    sides = []
    for detune in (0.9985, 1.0015):  # the two ears hear it beat differently
        waves = (
            loud * np.exp(-fade * time) * np.sin(2 * np.pi * 660 * tune * detune * time)
            for tune, loud, fade in partials
        )
        sides.append(sum(waves))
    stereo = np.stack(sides, axis=1)
    stereo *= np.minimum(1, time / 0.002)[:, None] * np.minimum(1, (seconds - time) / 0.1)[:, None]  # no clicks
    return 0.8 * stereo / np.abs(stereo).max()


def write_sounds(folder, scratch):
    speak("Tomorrow it will rain in the mountains.", "en-gb", folder / "weather.wav")
    speak("Fry the onions in butter.", "en-us+f3", scratch / "recipe.wav")
    ffmpeg("-i", scratch / "recipe.wav", "-ar", "44100", "-ac", "2", "-compression_level", "12", folder / "recipe.flac")
    soundfile.write(folder / "chime.wav", bell(48_000, 1.0), 48_000, subtype="PCM_24")


# ── Video ────────────────────────────────────────────────────────────────────────────────────────────────────────────

SECONDS, FPS, RATE = 4, 25, 44_100
FALL, KEPT, DROP = 0.5, 0.86, 150  # seconds of the first fall, speed kept at a bounce, pixels fallen


def bounces():
    """The moments the ball touches the floor, in seconds."""
    moments, flight = [FALL], 2 * FALL * KEPT
    while moments[-1] + flight < SECONDS:
        moments.append(moments[-1] + flight)
        flight *= KEPT
    return moments


def height_at(time):
    """Height of the ball above the floor in pixels. Free fall, then one parabola after each bounce."""
    gravity = 2 * DROP / FALL**2
    passed = [(number, moment) for number, moment in enumerate(bounces(), start=1) if moment <= time]
    if not passed:
        return DROP - gravity * time**2 / 2
    number, moment = passed[-1]
    since = time - moment
    return gravity * FALL * KEPT**number * since - gravity * since**2 / 2


def frame_at(time):
    floor, radius = 196, 20
    up = height_at(time)
    x = 40 + 240 * time / SECONDS
    flat = max(0.0, 1 - up / 8) * 0.22  # the ball gives a little where it touches
    wide, tall = radius * (1 + flat), radius * (1 - flat)
    y = floor - up - tall
    picture = Image.new("RGB", scaled(320, 240), "#f3ead7")
    draw = ImageDraw.Draw(picture)
    draw.rectangle(scaled(0, 184, 320, 240), fill="#b08968")
    shade = radius * (1 - 0.5 * up / DROP)
    draw.ellipse(scaled(x - shade, floor - 4, x + shade, floor + 4), fill="#8a6748")
    draw.ellipse(scaled(x - wide, y - tall, x + wide, y + tall), fill=RED)
    draw.ellipse(scaled(x - wide * 0.5, y - tall * 0.6, x - wide * 0.1, y - tall * 0.2), fill="#f28482")
    return shrink(picture)


def bounce_sound():
    """One short tone for each bounce, softer and higher as the ball tires. Returns (samples,)."""
    time = np.arange(SECONDS * RATE) / RATE
    sound = np.zeros_like(time)
    for number, moment in enumerate(bounces()):
        since = np.maximum(0, time - moment)
        envelope = np.minimum(1, since / 0.003) * np.exp(-14 * since)
        sound += 0.7 * 0.85**number * envelope * np.sin(2 * np.pi * 392 * 2 ** (number / 6) * since)
    return sound


def write_video(folder, scratch):
    soundfile.write(scratch / "bounces.wav", bounce_sound(), RATE, subtype="PCM_16")
    frames = b"".join(frame_at(number / FPS).tobytes() for number in range(SECONDS * FPS))
    pictures = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "320x240", "-r", str(FPS), "-i", "-"]
    h264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "23", "-preset", "slow", "-g", "50"]
    aac = ["-c:a", "aac", "-b:a", "64k"]
    target = folder / "bouncing_ball.mp4"
    sound = ["-i", scratch / "bounces.wav"]
    ffmpeg(*pictures, *sound, *h264, *aac, "-movflags", "+faststart", target, fed=frames)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).resolve().parent
    parser.add_argument(
        "folder", nargs="?", type=Path, default=here, help="where to write (default: next to this script)"
    )
    folder = parser.parse_args().folder
    missing = [program for program in ("espeak-ng", "ffmpeg") if shutil.which(program) is None]
    if missing:
        parser.error(f"cannot find {' and '.join(missing)}. On Debian:  apt install {' '.join(missing)}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sentences.txt").write_text(SENTENCES, encoding="utf-8", newline="\n")
    with tempfile.TemporaryDirectory() as scratch:
        write_pictures(folder)
        write_sounds(folder, Path(scratch))
        write_video(folder, Path(scratch))
    print(f"The samples are in {folder}")


if __name__ == "__main__":
    main()
