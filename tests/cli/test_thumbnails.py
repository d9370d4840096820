"""Pictures in a terminal: only where its environment says so, and what is sent holds the picture."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from manysense.cli.thumbnails import COLUMNS, ROWS, encoded, protocol_of


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty", "TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "mlterm-256color"}, "sixel"),
        ({"TERM": "xterm-sixel"}, "sixel"),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "iTerm.app"}, None),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/tmux-1/default,1,0"}, None),
        ({}, None),
    ],
)
def test_the_environment_says_how_pictures_are_sent(environment, protocol):
    assert protocol_of(environment, Terminal()) == protocol


def test_what_is_no_terminal_gets_no_pictures():
    assert protocol_of({"TERM": "xterm-kitty"}, io.StringIO()) is None


@pytest.fixture
def picture(samples) -> Image.Image:
    return Image.open(samples / "rainbow.jpg").convert("RGB").resize((180, 180))


def same(data: str, picture: Image.Image) -> bool:
    return np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), np.asarray(picture))


def test_kitty_gets_a_png_in_pieces(picture):
    sequences = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", encoded(picture, "kitty"))
    told, pieces = zip(*sequences)
    assert told[0].startswith(f"a=T,f=100,q=2,c={COLUMNS},r={ROWS},m=1")
    assert set(told[1:-1]) <= {"m=1"}
    assert told[-1] == "m=0"
    assert max(map(len, pieces)) <= 4096
    assert same("".join(pieces), picture)


def test_a_small_picture_is_one_piece(picture):
    small = picture.resize((4, 4))
    ((told, data),) = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", encoded(small, "kitty"))
    assert told.endswith("m=0")
    assert same(data, small)


def test_iterm_gets_a_file(picture):
    found = re.fullmatch(r"\x1b\]1337;File=inline=1;size=(\d+);([^:]*):([^\x07]*)\x07", encoded(picture, "iterm2"))
    assert found is not None
    assert found[2] == f"width={COLUMNS};height={ROWS};preserveAspectRatio=1"
    assert int(found[1]) == len(base64.b64decode(found[3]))
    assert same(found[3], picture)


def drawn(sixel: str) -> np.ndarray:
    """(height, width, 3) percent of each pixel, as a terminal draws it; -1 where nothing was drawn."""
    body = re.fullmatch(r'\x1bPq"1;1;(\d+);(\d+)(.*)\x1b\\', sixel, re.DOTALL)
    assert body is not None
    paper = np.full((int(body[2]), int(body[1]), 3), -1)
    palette, colour, x, top = {}, 0, 0, 0
    for match in re.finditer(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)(.)|([$-])|(.)", body[3]):
        number, red, green, blue, chosen, times, repeated, move, sign = match.groups()
        if number:
            palette[number] = (int(red), int(green), int(blue))
        elif chosen:
            colour = chosen
        elif move:
            x, top = 0, top + 6 * (move == "-")
        else:
            end = x + int(times or 1)
            for bit in range(6):
                if (ord(repeated or sign) - 63) >> bit & 1:
                    paper[top + bit, x:end] = palette[colour]
            x = end
    return paper


def test_sixel_draws_every_pixel_in_about_its_colour(picture):
    made = drawn(encoded(picture, "sixel"))
    assert made.min() >= 0
    wanted = np.asarray(picture.resize(made.shape[1::-1])) / 2.55
    assert np.abs(made - wanted).mean() < 4  # of 100, with 64 colours


def test_two_colours_of_a_band_do_not_cover_each_other():
    halves = Image.new("RGB", (8, 8), (255, 0, 0))
    halves.paste((0, 0, 255), (0, 4, 8, 8))
    made = drawn(encoded(halves.resize((108, 108), Image.Resampling.NEAREST), "sixel"))
    assert made[0, 0].tolist() == [100, 0, 0]
    assert made[-1, -1].tolist() == [0, 0, 100]


def test_the_command_sends_thumbnails_of_what_is_no_text(samples, capsys, monkeypatch):
    from manysense.cli.gather import Entry
    from manysense.cli.rerank import _show
    from manysense.inputs.types import Text

    for value, kind in ((samples / "red_circle.png", "image"), (samples / "rain.wav", "audio")):
        _show(Entry(value.name, value, kind, ""), "iterm2")
        assert capsys.readouterr().out.startswith("\x1b]1337;File=inline=1")
    for entry in (
        Entry("a:1", Text("words"), "text", ""),
        Entry("u", "https://example.com/a.png", "image", ""),
        Entry("gone.png", samples / "gone.png", "image", ""),
    ):
        _show(entry, "iterm2")
        assert capsys.readouterr().out == ""
