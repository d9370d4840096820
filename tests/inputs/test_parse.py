"""Any accepted value → Item: what each form means for a model that reads given modalities."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pictures

from manysense import Audio, Image, Policy, Text, Video
from manysense.errors import AmbiguousInput, ItemError, MediaNotFound, UnsupportedInput, UnsupportedModality
from manysense.inputs.parse import Parser
from manysense.inputs.types import Item, Part, Turn
from manysense.media.fetch import fetch
from manysense.media.reader import peek

SAMPLES = Path(__file__).parents[2] / "samples"
PNG = (SAMPLES / "red_circle.png").read_bytes()
WAV = (SAMPLES / "chime.wav").read_bytes()
MP4 = (SAMPLES / "bouncing_ball.mp4").read_bytes()
WAVE = np.zeros(1600, np.float32)


def parser(*readable: str, chat: bool = False, modality: str | None = None) -> Parser:
    return Parser(frozenset(readable), peek(Policy(network=False)), modality, chat)


TEXT = parser("text")
CLIP = parser("text", "image")
CLAP = parser("text", "audio")
ALL = parser("text", "image", "audio", "video", chat=True)


def only(item: Item) -> Part:
    (turn,) = item.turns
    (part,) = turn.parts
    assert turn.role == "user"
    assert not item.chat
    return part


# ---- strings


@pytest.mark.parametrize(
    "string",
    "a|| |photo.jpg|~/a.png|file:///a.png|https://example.org/a.png|https://example.org/a|data:image/png;base64,AAAA|"
    "speech.wav|clip.mp4".split("|"),
)
def test_for_a_text_model_every_string_is_text(string):
    part = only(TEXT(string))
    assert (part.modality, part.value) == ("text", string)


@pytest.mark.parametrize(
    ("string", "modality"),
    [
        ("a red circle", "text"),
        ("the file photo.jpg shows a cat", "text"),
        ("written in node.js", "text"),
        ("photo.jpg", "image"),
        ("~/photo.jpg", "image"),
        (r"C:\photo.jpg", "image"),
        ("file:///photo.jpg", "image"),
        ("https://example.org/photo.jpg?w=300", "image"),
        ("data:image/png;base64,AAAA", "image"),
        (base64.b64encode(PNG).decode(), "image"),
        ("speech.wav", "audio"),
        ("https://example.org/speech.flac", "audio"),
        (base64.b64encode(WAV).decode(), "audio"),
        ("clip.mp4", "video"),
        ("https://example.org/clip.mp4#t=3", "video"),
        (base64.b64encode(MP4).decode(), "video"),
    ],
)
def test_a_string_is_what_its_form_says(string, modality):
    part = only(ALL(string))
    assert (part.modality, part.value) == (modality, string)


@pytest.mark.parametrize(
    ("model", "string", "kind"),
    [
        (CLIP, "speech.wav", "audio"),
        (CLIP, "https://example.org/clip.mp4", "video"),
        (CLAP, "photo.jpg", "image"),
        (CLAP, "data:image/png;base64,AAAA", "image"),
    ],
)
def test_a_medium_that_the_model_does_not_read_is_never_text(model, string, kind):
    with pytest.raises(UnsupportedModality, match=kind) as error:
        model(string)
    assert error.value.source is not None
    assert "Text(" in error.value.hint


@pytest.mark.parametrize("model", [CLIP, CLAP, ALL])
@pytest.mark.parametrize("string", ["https://example.org/cat", "https://example.org/w?v=a.png", "file:///home/a/cat"])
def test_a_url_without_a_suffix_is_ambiguous_for_a_model_of_media(model, string):
    with pytest.raises(AmbiguousInput, match="does not say") as error:
        model(string)
    assert string in error.value.source
    assert all(name in error.value.hint for name in ("Image(", "Audio(", "Video(", "Text("))


MEDIA_OF = {".jpg": "image", ".png": "image", ".gif": "image", ".webp": "image"}
MEDIA_OF |= {".wav": "audio", ".flac": "audio", ".mp4": "video"}


@pytest.mark.parametrize(
    "path", [p for p in sorted(SAMPLES.iterdir()) if p.suffix in MEDIA_OF], ids=lambda path: path.name
)
def test_base64_of_a_real_file_is_that_medium(path):
    string = base64.b64encode(path.read_bytes()).decode()
    assert only(ALL(string)).modality == MEDIA_OF[path.suffix]


@pytest.mark.parametrize("size", range(0x14, 0x34, 4))
def test_base64_of_an_mp4_is_a_video_whatever_the_length_of_its_first_box(size):
    head = size.to_bytes(4, "big") + b"ftypisom\0\0\2\0" + b"isomiso2avc1mp41iso3iso4iso5iso6mp42"
    string = base64.b64encode((head[:size] + bytes(200))[:120]).decode()
    assert only(ALL(string)).modality == "video"


def test_base64_in_lines_is_still_one_medium():
    string = base64.encodebytes((SAMPLES / "red_circle.png").read_bytes()).decode()
    assert "\n" in string.strip()
    assert only(ALL(string)).modality == "image"


@pytest.mark.parametrize("string", ["A" * 200, "a" * 2000, "QUJD" * 30, "0123456789" * 10])
def test_letters_that_could_be_base64_of_nothing_known_are_text(string):
    part = only(ALL(string))
    assert (part.modality, part.value) == ("text", string)


def test_a_numpy_string_is_a_string():
    part = only(CLIP(np.str_("a red circle")))
    assert type(part.value) is str


@pytest.mark.parametrize("name", ["photo.jpg", "a red circle", "cat", "notes.txt", "folder"])
def test_whether_a_file_exists_never_decides_what_a_string_means(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = only(ALL(name))
    (tmp_path / name).write_bytes(PNG)
    file = only(ALL(name))
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    folder = only(ALL(name))
    assert {before.modality, file.modality, folder.modality} == {"image" if name == "photo.jpg" else "text"}
    assert before.value == file.value == folder.value == name


def test_parsing_a_string_opens_nothing():
    def refuse(value):
        raise AssertionError("looked at bytes")

    closed = Parser(frozenset({"text", "image", "audio", "video"}), refuse)
    for string in ("a.jpg", "a.wav", "a.mp4", "https://example.org/a.png", "data:image/png;base64,AAAA", "words"):
        closed(string)


# ---- files and bytes


@pytest.mark.parametrize(("data", "modality"), [(PNG, "image"), (WAV, "audio"), (MP4, "video")])
@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_are_what_their_first_bytes_say(data, modality, wrap):
    assert only(ALL(wrap(data))).modality == modality


@pytest.mark.parametrize("row", [{"bytes": PNG, "path": None}, {"bytes": PNG, "path": "a.xyz"}, {"bytes": PNG}])
def test_a_row_of_a_data_set_is_what_its_bytes_say(row):
    part = only(ALL(row))
    assert (part.modality, fetch(part.value, Policy(), modality="image").data) == ("image", PNG)


def test_a_row_with_a_path_alone_is_opened_there():
    part = only(ALL({"bytes": None, "path": str(SAMPLES / "chime.wav")}))
    assert part.modality == "audio"


def test_an_open_file_is_left_where_it_stood():
    with (SAMPLES / "red_circle.png").open("rb") as file:
        file.seek(5)
        assert only(ALL(file)).modality == "image"
        assert file.tell() == 5


def test_bytes_of_nothing_known_are_refused_with_the_way_to_pass_text():
    with pytest.raises(UnsupportedInput, match="no known picture, sound or video") as error:
        ALL(b"these are words")
    assert "decode()" in error.value.hint
    assert "these are words" not in str(error.value)


@pytest.mark.parametrize(("name", "modality"), [("a.jpg", "image"), ("a.wav", "audio"), ("a.mp4", "video")])
def test_a_path_object_takes_its_kind_from_its_suffix_unopened(name, modality):
    part = only(ALL(Path("missing") / name))
    assert part.modality == modality


def test_a_path_object_to_a_text_file_is_that_text():
    assert only(CLIP(Path("notes.txt"))).modality == "text"


def test_a_path_object_without_a_suffix_is_what_its_bytes_say(tmp_path):
    (tmp_path / "scan").write_bytes(PNG)
    assert only(CLIP(tmp_path / "scan")).modality == "image"


def test_a_path_object_that_does_not_exist_is_never_text(tmp_path):
    with pytest.raises(MediaNotFound, match="scan"):
        CLIP(tmp_path / "scan")


def test_any_path_like_object_is_a_path():
    class Entry(os.PathLike):
        def __fspath__(self):
            return "a.png"

    assert only(CLIP(Entry())).modality == "image"


def test_a_picture_path_to_a_text_model_is_refused():
    with pytest.raises(UnsupportedModality, match="image"):
        TEXT(Path("a.png"))


# ---- arrays and pictures


def test_a_pillow_picture_is_an_image():
    picture = Pictures.new("L", (4, 4))
    part = only(CLIP(picture))
    assert part.modality == "image"
    assert part.value is picture


@pytest.mark.parametrize(
    ("model", "shape", "modality"),
    [
        (CLAP, (16_000,), "audio"),
        (ALL, (16_000,), "audio"),
        (CLAP, (1, 16_000), "audio"),
        (ALL, (2, 16_000), "audio"),
        (CLIP, (30, 40), "image"),
        (CLIP, (30, 40, 3), "image"),
        (CLIP, (3, 30, 40), "image"),
        (CLIP, (30, 40, 4), "image"),
        (CLIP, (30, 40, 1), "image"),
        (ALL, (30, 40, 3), "image"),
        (ALL, (8, 30, 40, 3), "video"),
        (ALL, (8, 3, 30, 40), "video"),
    ],
)
@pytest.mark.parametrize("kind", [np.zeros, torch.zeros], ids=["numpy", "torch"])
def test_the_shape_of_an_array_says_what_it_is(model, shape, modality, kind):
    assert only(model(kind(shape))).modality == modality


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (CLAP, (16_000, 2)),  # channels last
        (ALL, (16_000, 2)),
        (ALL, (480, 640)),  # a grey picture, or many channels
        (ALL, (40, 40)),
        (CLAP, (40, 40)),
        (CLAP, (2, 2)),
        (CLIP, (5, 30, 40)),  # five grey pictures?
        (ALL, (30, 40, 7)),
    ],
)
def test_an_ambiguous_shape_is_an_error_that_names_the_shape_and_a_way_out(model, shape):
    with pytest.raises(AmbiguousInput) as error:
        model(np.zeros(shape, np.float32))
    assert str(shape) in str(error.value)
    assert str(shape) in error.value.source
    assert error.value.hint


@pytest.mark.parametrize("shape", [(), (2, 3, 4, 5, 6)])
def test_a_shape_without_a_rule_is_refused(shape):
    with pytest.raises(UnsupportedInput, match="dimensions"):
        ALL(np.zeros(shape))


def test_a_batch_of_pictures_in_one_array_is_refused_with_the_way_to_pass_a_list():
    with pytest.raises(UnsupportedModality, match="video") as error:
        CLIP(np.zeros((8, 30, 40, 3), np.uint8))
    assert "list(array)" in error.value.hint


def test_an_array_to_a_text_model_is_refused():
    with pytest.raises(UnsupportedModality, match="reads text"):
        TEXT(np.zeros(5))


@pytest.mark.parametrize(
    "value",
    [
        (WAVE, 8_000),
        (WAVE, np.int64(8_000)),
        (torch.zeros(1600), 8_000),
        (WAVE, 8_000.0),
        {"array": WAVE, "sampling_rate": 8_000},
        {"array": WAVE, "sampling_rate": 8_000, "path": None},
        {"sampling_rate": 8_000, "array": torch.zeros(1600)},
        Audio(WAVE, 8_000),
        Audio({"array": WAVE, "sampling_rate": 8_000}),
        Audio((WAVE, 8_000)),
        {"audio": (WAVE, 8_000)},
        {"audio": {"array": WAVE, "sampling_rate": 8_000}},
        {"audio": Audio(WAVE, 8_000)},
    ],
)
def test_samples_with_their_rate_keep_it(value):
    part = only(CLAP(value))
    assert part.modality == "audio"
    assert dict(part.meta) == {"sampling_rate": 8_000}
    assert part.value.shape == (1600,)


@pytest.mark.parametrize("rate", [0, -8_000, 8_000.5, 10**7])
def test_a_rate_that_is_no_rate_is_refused(rate):
    with pytest.raises(UnsupportedInput, match="sampling rate"):
        CLAP((WAVE, rate))


def test_samples_alone_carry_no_rate():
    assert dict(only(CLAP(WAVE)).meta) == {}


def test_an_array_in_a_dict_without_a_rate_is_ambiguous():
    with pytest.raises(AmbiguousInput, match="sampling_rate"):
        CLAP({"array": WAVE})


# ---- dicts


def test_the_parts_of_a_dict_come_in_one_order_whatever_the_order_of_its_keys():
    one = ALL({"text": "a", "image": "b.jpg", "video": "c.mp4", "audio": "d.wav"})
    other = ALL({"audio": "d.wav", "video": "c.mp4", "image": "b.jpg", "text": "a"})
    assert [p.modality for p in one.parts] == [p.modality for p in other.parts] == ["video", "image", "audio", "text"]


def test_the_key_of_a_dict_says_what_its_value_is():
    item = ALL({"text": "photo.jpg", "image": "https://example.org/cat"})
    assert [(p.modality, p.value) for p in item.parts] == [("image", "https://example.org/cat"), ("text", "photo.jpg")]


def test_a_list_under_a_key_is_several_parts():
    item = ALL({"image": ["a.jpg", Pictures.new("RGB", (4, 4))], "text": ["one", "two"]})
    assert [p.modality for p in item.parts] == ["image", "image", "text", "text"]


def test_a_list_of_pictures_under_video_is_one_video():
    frames = [Pictures.new("RGB", (4, 4))] * 3
    part = only(ALL({"video": frames}))
    assert part.modality == "video"
    assert len(part.value) == 3


def test_a_list_of_numbers_under_audio_is_one_sound():
    part = only(ALL({"audio": [0.0, 0.5, -0.5]}))
    assert part.modality == "audio"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "empty dict"),
        ({"caption": "a"}, "caption"),
        ({"text": "a", "picture": "b.jpg"}, "picture"),
        ({"role": "user"}, "role"),
        ({3: "a"}, "3"),
        ({"image": []}, "empty list"),
        ({"text": None}, "None"),
        ({"image": None}, "None"),
        ({"text": 3}, "3"),
        ({"text": float("nan")}, "nan"),
        ({"text": b"abc"}, "bytes"),
        ({"image": True}, "True"),
        ({"text": "a", "image": {"b.jpg"}}, "b.jpg"),
    ],
)
def test_a_dict_that_means_nothing_is_refused_with_its_reason(value, words):
    with pytest.raises(UnsupportedInput, match=words) as error:
        ALL(value)
    assert error.value.source is not None


@pytest.mark.parametrize("value", [{"image": 3}, {"audio": 2.5}, {"video": object()}, {"image": {"a": 1}}])
def test_a_value_that_is_no_medium_is_refused_before_any_work(value):
    with pytest.raises(ItemError):
        ALL(value)


def test_a_dict_with_a_modality_that_the_model_does_not_read_is_refused():
    with pytest.raises(UnsupportedModality, match="audio"):
        CLIP({"text": "a", "audio": WAVE})


# ---- what has no rule


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (None, "missing value"),
        (float("nan"), "missing value"),
        (3, "number"),
        (2.5, "number"),
        (True, "number"),
        ({"a", "b"}, "no order"),
        (["a", "b"], "list inside the list"),
        (("a", "b"), "list inside the list"),
        ([], "list inside the list"),
        (object(), "Accepted"),
        (pd.NA, ""),
        (pd.DataFrame({"a": [1]}), ""),
    ],
)
@pytest.mark.parametrize("model", [TEXT, ALL])
def test_a_value_without_a_rule_is_refused_with_its_source_and_a_hint(model, value, hint):
    with pytest.raises(UnsupportedInput) as error:
        model(value)
    assert error.value.source
    assert hint in error.value.hint
    assert isinstance(error.value, TypeError)
    assert isinstance(error.value, ValueError)


def test_an_object_with_a_broken_repr_still_gives_the_real_error():
    class Broken:
        def __repr__(self):
            raise RuntimeError("no")

    with pytest.raises(UnsupportedInput, match="Broken"):
        ALL(Broken())


def test_a_message_about_a_long_value_is_short():
    with pytest.raises(ItemError) as error:
        CLIP("a" * 3000 + ".wav")
    assert len(str(error.value)) < 400


# ---- wrappers and modality=


@pytest.mark.parametrize(
    ("value", "modality"),
    [
        (Text("photo.jpg"), "text"),
        (Text("https://example.org/cat"), "text"),
        (Image("cat"), "image"),
        (Image("https://example.org/cat"), "image"),
        (Image(np.zeros((480, 640))), "image"),
        (Audio("speech"), "audio"),
        (Audio(np.zeros((480, 640))), "audio"),
        (Video(["a.png", "b.png"]), "video"),
        (Video(np.zeros((8, 30, 40, 3))), "video"),
    ],
)
def test_a_wrapper_settles_what_its_value_is(value, modality):
    assert only(ALL(value)).modality == modality


@pytest.mark.parametrize(
    ("modality", "value"),
    [("text", "photo.jpg"), ("image", "https://example.org/cat"), ("audio", "speech"), ("video", "clip")],
)
def test_modality_settles_what_plain_inputs_are(modality, value):
    assert only(parser("text", "image", "audio", "video", modality=modality)(value)).modality == modality


def test_a_wrapper_that_says_something_else_than_modality_is_refused():
    with pytest.raises(UnsupportedInput, match="image"):
        parser("text", "image", modality="image")(Text("a"))


def test_a_wrapper_under_a_key_of_another_modality_is_refused():
    with pytest.raises(UnsupportedInput, match="image"):
        ALL({"image": Text("a")})


@pytest.mark.parametrize("value", [Text(None), Text(3), Image(None), Audio(None), Video(None)])
def test_a_wrapper_around_nothing_is_refused(value):
    with pytest.raises(UnsupportedInput):
        ALL(value)


def test_frames_keep_their_rate():
    part = only(ALL(Video(np.zeros((8, 30, 40, 3)), fps=2)))
    assert dict(part.meta) == {"fps": 2.0}


def test_frames_in_a_dict_keep_the_rate_of_their_metadata():
    part = only(ALL({"array": np.zeros((8, 30, 40, 3)), "video_metadata": {"fps": 4}}))
    assert (part.modality, dict(part.meta)) == ("video", {"fps": 4.0})


# ---- chats


def test_a_conversation_keeps_its_turns_in_their_order():
    item = ALL(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Which?"}, {"type": "image", "image": "a.jpg"}]},
        ]
    )
    assert item.chat
    assert [turn.role for turn in item.turns] == ["system", "user"]
    assert [(p.modality, p.value) for p in item.parts] == [
        ("text", "Be brief."),
        ("text", "Which?"),
        ("image", "a.jpg"),
    ]


def test_one_message_is_a_conversation_of_one_turn():
    item = ALL({"role": "user", "content": "hello"})
    assert item.chat
    assert len(item.turns) == 1


def test_plain_content_is_text_whatever_it_looks_like():
    (part,) = ALL({"role": "user", "content": "photo.jpg"}).parts
    assert (part.modality, part.value) == ("text", "photo.jpg")


@pytest.mark.parametrize(
    ("piece", "modality", "value"),
    [
        ({"type": "text", "text": "a"}, "text", "a"),
        ({"text": "a"}, "text", "a"),
        ("a.jpg", "text", "a.jpg"),
        ({"type": "image", "image": "a"}, "image", "a"),
        ({"type": "image", "url": "https://example.org/a"}, "image", "https://example.org/a"),
        ({"type": "image", "path": "a"}, "image", "a"),
        ({"image": "a"}, "image", "a"),
        ({"type": "image_url", "image_url": {"url": "https://example.org/a"}}, "image", "https://example.org/a"),
        ({"type": "image_url", "image_url": {"url": "https://e.org/a", "detail": "low"}}, "image", "https://e.org/a"),
        ({"type": "image_url", "image_url": "https://example.org/a"}, "image", "https://example.org/a"),
        ({"type": "audio", "audio": "a"}, "audio", "a"),
        ({"type": "audio_url", "audio_url": {"url": "https://example.org/a"}}, "audio", "https://example.org/a"),
        ({"type": "video", "video": "a"}, "video", "a"),
    ],
)
def test_a_piece_of_content_says_what_it_is(piece, modality, value):
    (part,) = ALL({"role": "user", "content": [piece]}).parts
    assert (part.modality, part.value) == (modality, value)


def test_input_audio_holds_base64_that_can_be_opened():
    data = {"data": base64.b64encode(WAV).decode(), "format": "wav"}
    (part,) = ALL({"role": "user", "content": [{"type": "input_audio", "input_audio": data}]}).parts
    assert part.modality == "audio"
    assert fetch(part.value, Policy(), modality="audio").data == WAV


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": None},
        {"role": "user", "content": 3},
        {"role": "user", "content": [{"type": "smell", "smell": "a"}]},
        {"role": "user", "content": [{"type": "image"}]},
        {"role": "user", "content": [3]},
        {"role": 3, "content": "a"},
        [{"role": "user", "content": "a"}, "b"],
        [{"role": "user", "content": "a"}, {"role": "user"}],
    ],
)
def test_a_chat_that_is_not_whole_is_refused(message):
    with pytest.raises(UnsupportedInput):
        ALL(message)


def test_a_chat_to_a_model_without_one_is_refused():
    with pytest.raises(UnsupportedModality, match="chat"):
        CLIP({"role": "user", "content": "hello"})


def test_an_item_is_taken_as_it_is():
    item = Item((Turn("user", (Part("text", "a"),)),))
    assert ALL(item) is item


def test_parsing_changes_nothing_of_the_caller():
    value = {"text": ["a", "b"], "image": [PNG], "audio": (WAVE, 8_000)}
    before = repr(value)
    ALL(value)
    assert repr(value) == before


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["text", "image", "audio", "video", "role", "content", "array", "type", "x"]),
                inner,
                max_size=3,
            )
            | st.tuples(inner, inner)
        ),
        max_leaves=6,
    )
)
def test_any_value_at_all_is_an_item_or_a_named_error(value):
    try:
        found = ALL(value).parts
    except ItemError as error:
        found = error.reason and error.source
    assert found
