"""Make the sounds, spoken words and clips of this folder.

Knows: which synthesiser of training/starter makes which sound, from which seed; how the clips move. Does not know: how
the sounds are synthesised, pages and charts (make_pages.py).

Run it in a clone of the repository, with Pillow, numpy, scipy, soundfile, soxr and CairoSVG installed:

    apt install espeak-ng ffmpeg
    python make_sounds.py            # writes next to this script
    python make_sounds.py FOLDER     # writes there instead
"""

import argparse
import sys
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from make_drawings import DOG, TRAIN, city, drawn, scene
from make_samples import ffmpeg, speak
from PIL import ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # training/ lives in the clone, not in the package
from training.starter.sounds import animals, household, instruments, people, signals, vehicles, weather
from training.starter.sounds.dice import Dice
from training.starter.sounds.synth import RATE

# ── Sounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def rain(d):
    """Single drops before the hiss of many."""
    far, near = weather.rain_of_noise(d), weather.rain_of_drops(d)
    n = min(len(far), len(near))
    return 0.35 * far[:n] / np.abs(far).max() + near[:n] / np.abs(near).max()


# file → synthesiser, seed, seconds kept, samples a second
SOUNDS = {
    "rain.wav": (rain, 10, 3.0, 16_000),
    "thunder.flac": (weather.thunder_crack, 1, 4.0, 44_100),
    "dog_bark.wav": (animals.dog_bark, 8, 3.0, 22_050),
    "cat_meow.wav": (animals.cat_meow, 12, 3.0, 16_000),
    "alarm_clock.ogg": (signals.alarm_beeping, 9, 4.0, 44_100),
    "telephone_ring.wav": (signals.telephone_bell, 1, 3.0, 16_000),
    "train_whistle.wav": (vehicles.train_whistle, 5, 2.5, 16_000),
    "piano.flac": (instruments.piano_partials, 4, 4.0, 32_000),
    "siren.mp3": (vehicles.siren_two_tone, 1, 4.0, 44_100),
    "door_knock.wav": (household.knock_on_wood, 1, 2.0, 22_050),
    "birds.ogg": (animals.bird_song, 6, 4.0, 48_000),
}

# file → what is said, espeak-ng's voice
SPOKEN = {
    "good_morning.wav": ("Good morning!", "en-us+f2"),
    "hello.ogg": ("Hello", "en-gb+m2"),
    "thank_you.wav": ("Thank you", "en-us+m3"),
    "red_circle.wav": ("red circle", "en-gb+f4"),
    "twenty_three.flac": ("twenty-three", "en-us+m1"),
    "computer.wav": ("computer", "en-gb-scotland+m5"),
}

ENCODED = {"ogg": ["-c:a", "libvorbis", "-q:a", "2"], "mp3": ["-c:a", "libmp3lame", "-b:a", "64k"]}


def heard(make, seed, seconds, rate=RATE):
    """What the synthesiser gives for a seed, a little silence around it, at ±0.8.  Returns (samples,) at `rate`."""
    made = make(Dice(np.random.default_rng(seed), "dev"))[: round(seconds * RATE)]
    end = min(len(made), RATE // 20)
    made[len(made) - end :] *= np.linspace(1, 0, end)  # no click where it was cut
    quiet = np.zeros(RATE // 10)
    return soxr.resample(0.8 * np.concatenate([quiet, made, quiet]) / np.abs(made).max(), RATE, rate)


def write_sound(path, samples, rate):
    """16 bits a sample; ogg and mp3 by ffmpeg."""
    kind = path.suffix[1:]
    if kind in ENCODED:
        pipe = ["-f", "f32le", "-ar", str(rate), "-ac", "1", "-i", "-"]
        ffmpeg(*pipe, *ENCODED[kind], path, fed=samples.astype("<f4").tobytes())
    else:
        soundfile.write(path, samples, rate, subtype="PCM_16")


def write_spoken(folder, scratch):
    for name, (text, voice) in SPOKEN.items():
        speak(text, voice, scratch / "said.wav")
        samples, rate = soundfile.read(scratch / "said.wav")
        write_sound(folder / name, samples, rate)


# ── Clips ────────────────────────────────────────────────────────────────────────────────────────────────────────────

WIDTH, HEIGHT, FPS = 384, 216, 20


def rain_on_the_city(time):
    """Streaks fall over the skyline of city_at_night.jpg; those that leave below come back above."""
    picture = skyline().copy()
    draw = ImageDraw.Draw(picture)
    for x, y, fast in np.random.default_rng(8).uniform((0, 0, 0.8), (1.1, 1, 1.3), (70, 3)):
        down = (y + time * 1.6 * fast) % 1.1
        left, top = (x - 0.06 * down) * WIDTH, (down - 0.1) * HEIGHT
        draw.line([left, top, left - 3, top + 22 * fast], fill=(176, 200, 232), width=2)
    return picture


@cache
def skyline():
    return scene(city() + CLOUDS, (WIDTH, HEIGHT))


CLOUDS = """<g fill="#3b4052"><circle cx="8" cy="8" r="13"/><circle cx="30" cy="12" r="15"/>
<circle cx="52" cy="6" r="14"/>
<circle cx="76" cy="10" r="14"/><circle cx="100" cy="7" r="15"/><circle cx="124" cy="11" r="14"/>
<circle cx="146" cy="7" r="14"/></g>"""
HILLS = """<rect width="178" height="60" fill="#a9d8f5"/><circle cx="150" cy="16" r="8" fill="#ffe27a"/>
<path d="M0 58 Q30 34 70 52 Q110 30 178 50 V100 H0 Z" fill="#86c06c"/>
<path d="M0 70 Q60 56 120 68 Q150 60 178 66 V100 H0 Z" fill="#5fa14e"/>
<rect y="90" width="178" height="10" fill="#8d8377"/><rect y="89" width="178" height="1.5" fill="#4b5563"/>"""
WAGON = """<rect x="-62" y="36" width="58" height="36" rx="3" fill="#1d4e89"/>
<rect x="-64" y="33" width="62" height="5" fill="#22282f"/>
<g fill="#ffe9a8"><rect x="-57" y="42" width="12" height="12"/><rect x="-39" y="42" width="12" height="12"/>
<rect x="-21" y="42" width="12" height="12"/></g><rect x="-8" y="68" width="20" height="4" fill="#22282f"/>
<g fill="#b3261e" stroke="#22282f" stroke-width="2.5"><circle cx="-50" cy="80" r="8"/>
<circle cx="-16" cy="80" r="8"/></g>"""


def train_passing(time):
    """The locomotive of train.png pulls two wagons from left to right."""
    engine = TRAIN[: TRAIN.index('<rect x="0" y="89.5"')]  # without the rails it stands on
    wagons = WAGON + f'<g transform="translate(-64 0)">{WAGON}</g>'
    ages = [(start + time) % 1 for start in (0, 0.25, 0.5, 0.75)]
    puffs = "".join(
        f'<circle cx="{82 - 40 * age}" cy="{26 - 20 * age}" r="{3 + 7 * age}" fill="#eef2f6" opacity="{1 - age}"/>'
        for age in ages
    )
    train = engine[engine.index('<rect x="79"') :]
    place = f"translate({-12 + 38 * time} {22 + 0.4 * np.sin(40 * time)}) scale(0.75)"
    return drawn(f'{HILLS}<g transform="{place}">{wagons}{puffs}{train}</g>', WHITE, HEIGHT, VIEW, WIDTH)


def fireworks(time):
    """Rockets rise over dark hills and burst into rings of sparks."""
    rng, sparks = np.random.default_rng(12), []
    for number in range(9):
        x, y, colour = rng.uniform(30, 148), rng.uniform(22, 50), BURSTS[number % len(BURSTS)]
        age = time + 0.5 - 0.45 * number
        if -0.4 < age <= 0:
            up = 92 + (y - 92) * (1 + age / 0.4)
            sparks.append(f'<path d="M{x} {up} v6" stroke="#ffe8b0" stroke-width="1.2"/>')
        if 0 < age < 1.3:
            reach, light = 34 * (1 - np.exp(-4 * age)), max(0.0, 1 - age / 1.3)
            for turn in np.linspace(0, 2 * np.pi, 20, endpoint=False):
                for share in (0.55, 1.0):
                    dx, dy = share * reach * np.cos(turn), share * reach * np.sin(turn) + 5 * age**2
                    ray = f"M{x + 0.7 * dx} {y + 0.7 * dy} L{x + dx} {y + dy}"
                    sparks.append(f'<path d="{ray}" stroke="{colour}" stroke-width="2" opacity="{light}"/>')
    ground = '<path d="M0 92 Q50 84 90 91 Q140 82 178 90 V100 H0 Z" fill="#05060f"/>'
    return drawn("".join(sparks) + ground, "#0b1033", HEIGHT, VIEW, WIDTH)


def sailing_boat(time):
    """A white boat rocks on rolling waves."""
    waves = ""
    for row, colour in enumerate(("#3a86c8", "#2f74b5", "#225f9c", "#174a80")):
        phase = 2.4 * time * (1 + 0.15 * row) + 2 * row
        line = " L".join(f"{x} {58 + 11 * row + 2.2 * np.sin(x / 9 + phase):.2f}" for x in range(0, 182, 3))
        waves += ("" if row != 1 else boat(time)) + f'<path d="M{line} V100 H0 Z" fill="{colour}"/>'
    sky = '<rect width="178" height="60" fill="#bfe4f7"/><circle cx="32" cy="18" r="9" fill="#ffd84d"/>'
    return drawn(sky + waves, WHITE, HEIGHT, VIEW, WIDTH)


def boat(time):
    place = f"translate({78 + 8 * time} {1.8 * np.sin(2.4 * time)}) rotate({5 * np.sin(2.4 * time + 1)} 15 64)"
    return f"""<g transform="{place}"><path d="M14 10 V62" stroke="#5b3a1e" stroke-width="2"/>
    <path d="M16.5 12 Q38 36 40 58 L16.5 58 Z" fill="#ffffff"/>
    <path d="M11.5 18 Q-4 40 -6 58 L11.5 58 Z" fill="#e63946"/>
    <path d="M-14 62 L46 62 Q42 76 34 78 L-2 78 Q-10 76 -14 62 Z" fill="#7a4b22"/></g>"""


def barks(samples, rate):
    """How loud the dog is at a time: a function of seconds, 0 to 1."""
    span = rate // 20
    loud = np.sqrt(np.convolve(samples**2, np.ones(span) / span, "same"))
    loud /= loud.max()
    return lambda time: float(loud[min(len(loud) - 1, round(time * rate))])


def dog_barking(time, loud):
    """The dog of dog.png in a garden; it jumps and speaks with the sound."""
    open_wide = loud(time)
    words = f"""<g stroke="#1f2933" stroke-width="1.6" stroke-linecap="round" opacity="{min(1, 2 * open_wide)}">
    <path d="M-4 36 L-13 32 M-5 43 L-15 44 M-3 50 L-12 56"/></g>"""
    mouth = f'<path d="M4 42 Q12 {46 + 9 * open_wide} 22 47 Z" fill="#7a1f2b"/>'
    place = f"translate(46 {6 - 3 * open_wide}) rotate({4 * open_wide} 60 90) scale(0.92)"
    fence = "".join(f'<rect x="{x}" y="34" width="7" height="32" rx="2"/>' for x in range(2, 178, 12))
    garden = f"""<rect width="178" height="70" fill="#bfe4f7"/><rect y="62" width="178" height="38" fill="#7dbb5b"/>
    <g fill="#f3f0e6">{fence}<rect y="42" width="178" height="4"/><rect y="56" width="178" height="4"/></g>"""
    return drawn(f'{garden}<g transform="{place}">{DOG}{mouth}{words}</g>', WHITE, HEIGHT, VIEW, WIDTH)


WHITE, VIEW = "#ffffff", "0 0 178 100"
BURSTS = ("#ffd166", "#ef476f", "#7ae582", "#8ecbff", "#f0a6ff")

# file → frame at a time, its sound
CLIPS = {
    "rain_on_the_city.mp4": (rain_on_the_city, (rain, 7, 3.0)),
    "train_passing.mp4": (train_passing, (vehicles.steam_train, 0, 3.0)),
    "dog_barking.mp4": (dog_barking, (animals.dog_bark, 4, 2.5)),
    "fireworks.webm": (fireworks, (people.fireworks, 6, 3.5)),
    "sailing_boat_waves.mp4": (sailing_boat, (weather.waves_on_shore, 1, 3.5)),
}
H264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "29", "-preset", "slow", "-c:a", "aac", "-b:a", "64k"]
VP9 = ["-c:v", "libvpx-vp9", "-pix_fmt", "yuv420p", "-crf", "40", "-b:v", "0", "-c:a", "libopus", "-b:a", "48k"]


def write_clip(path, frame_at, sound, scratch):
    rate = 48_000
    samples = heard(*sound, rate)
    soundfile.write(scratch / "clip.wav", samples, rate, subtype="PCM_16")
    more = (barks(samples, rate),) if frame_at is dog_barking else ()
    count = round(len(samples) / rate * FPS)
    frames = b"".join(frame_at(number / FPS, *more).convert("RGB").tobytes() for number in range(count))
    pictures = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FPS), "-i", "-"]
    codec = VP9 if path.suffix == ".webm" else [*H264, "-movflags", "+faststart"]
    ffmpeg(*pictures, "-i", scratch / "clip.wav", *codec, "-shortest", path, fed=frames)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).resolve().parent
    parser.add_argument(
        "folder", nargs="?", type=Path, default=here, help="where to write (default: next to this script)"
    )
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, (make, seed, seconds, rate) in SOUNDS.items():
        write_sound(folder / name, heard(make, seed, seconds, rate), rate)
    with tempfile.TemporaryDirectory() as scratch:
        write_spoken(folder, Path(scratch))
        for name, (frame_at, sound) in CLIPS.items():
            write_clip(folder / name, frame_at, sound, Path(scratch))
    print(f"The sounds and clips are in {folder}")


if __name__ == "__main__":
    main()
