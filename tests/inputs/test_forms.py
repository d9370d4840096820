"""What a string is, read off its characters alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manysense.inputs.forms import SUFFIXES, Form, form_of, suffix_kind


@pytest.mark.parametrize(
    ("string", "modality"),
    [
        ("photo.jpg", "image"),
        ("photos/holiday 2024/IMG_0001.JPEG", "image"),
        ("/abs/scan.tiff", "image"),
        ("~/pictures/cat.png", "image"),
        ("../a.webp", "image"),
        (r"C:\photos\cat.gif", "image"),
        (r"\\server\share\cat.bmp", "image"),
        ("фото/снимок.png", "image"),
        ("archive.tar.png", "image"),
        ("speech.wav", "audio"),
        ("music/song.MP3", "audio"),
        ("take.flac", "audio"),
        ("clip.mp4", "video"),
        (r"D:\clips\take 2.MOV", "video"),
        ("movie.webm", "video"),
    ],
)
def test_one_line_that_ends_in_a_media_suffix_is_a_path(string, modality):
    assert form_of(string) == Form("path", modality)


@pytest.mark.parametrize(
    "string",
    [
        "",
        " ",
        "a red circle",
        "the file photo.jpg shows a cat",
        "Open photo.jpg, then speech.wav please",
        "I saved it as cat.png!",
        "I saved it as cat.png.",
        "We wrote it in node.js",
        "see page 3.14",
        ".png",
        "folder/.jpg",
        " .mp4",
        "png",
        "first line\nphoto.jpg",
        "photo.jpg\nsecond line",
        "first line\r\nphoto.jpg",
        "report.pdf",
        "data: 3, 4, 5",
        "the data:image scheme, explained",
        "http is a protocol",
        "https://example.org/cat.png shows a cat",
        "look at https://example.org/cat.html",
        "see http://example.org",
        "a" * 50,
        "word " * 2000 + "end.jpg",
    ],
)
def test_everything_else_is_text(string):
    assert form_of(string) == Form("text", "text")


@pytest.mark.parametrize("string", ["file: the report is late", "File: A Novel", "file:"])
def test_a_sentence_that_opens_with_the_word_file_is_text(string):
    assert form_of(string).kind == "text"


@pytest.mark.parametrize(
    ("string", "form"),
    [
        ("https://example.org/cat.png", Form("url", "image")),
        ("http://example.org/cat.png?size=large&v=2", Form("url", "image")),
        ("https://example.org/cat.png#top", Form("url", "image")),
        ("HTTPS://EXAMPLE.ORG/CAT.JPG", Form("url", "image")),
        ("https://example.org/a/song.mp3?token=a.mp4", Form("url", "audio")),
        ("https://example.org/clip.mp4", Form("url", "video")),
        ("https://example.org/watch?v=cat.png", Form("url", None)),
        ("https://example.org/cat", Form("url", None)),
        ("https://example.org/", Form("url", None)),
        ("https://example.jpg", Form("url", None)),
        ("file:///home/a/cat.png", Form("file-url", "image")),
        ("file:///home/a/my%20cat.png", Form("file-url", "image")),
        ("file:///home/a/clip.mp4", Form("file-url", "video")),
        ("file:///home/a/cat", Form("file-url", None)),
    ],
)
def test_a_url_takes_its_kind_from_the_suffix_of_its_path(string, form):
    assert form_of(string) == form


@pytest.mark.parametrize(
    ("string", "modality"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", "image"),
        ("DATA:image/jpeg;base64,/9j/", "image"),
        ("data:audio/wav;base64,UklGRg==", "audio"),
        ("data:video/mp4;base64,AAAA", "video"),
        ("data:application/octet-stream;base64,AAAA", None),
    ],
)
def test_a_data_uri_takes_its_kind_from_its_media_type(string, modality):
    assert form_of(string) == Form("data", modality)


def test_sixty_characters_of_base64_and_nothing_else_may_be_a_medium():
    assert form_of("QUJD" * 15).kind == "base64"
    assert form_of("QUJD" * 14).kind == "text"


def test_text_that_only_opens_like_base64_is_text():
    assert form_of("iVBORw0KGgo is how a PNG opens when it is written in base64, as everyone knows").kind == "text"


@given(st.text(max_size=300))
def test_any_string_has_a_form(string):
    form = form_of(string)
    assert form.kind in ("text", "path", "url", "file-url", "data", "base64")
    assert (form.kind != "text") or form.modality == "text"


@given(stem=st.text(st.characters(whitelist_categories=["L", "N"]), min_size=1, max_size=20), data=st.data())
def test_every_suffix_of_the_table_is_a_path_in_either_case(stem, data):
    modality = data.draw(st.sampled_from(sorted(SUFFIXES)))
    suffix = data.draw(st.sampled_from(sorted(SUFFIXES[modality])))
    name = stem + data.draw(st.sampled_from([suffix, suffix.upper()]))
    assert suffix_kind(name) == modality
    assert form_of(name) == Form("path", modality)
    assert form_of(name + ".") == form_of("see " + name + " here") == Form("text", "text")


def test_no_suffix_belongs_to_two_modalities():
    names = [name for suffixes in SUFFIXES.values() for name in suffixes]
    assert len(names) == len(set(names))
