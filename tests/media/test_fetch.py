"""Every kind of value that the door takes, and how it says no. The network has its own file."""

import base64
import gzip
import io
import os
import socket
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from manysense.errors import FetchRefused, MediaError, MediaNotFound, MediaTooLarge, UnsupportedInput
from manysense.media.fetch import describe, fetch, is_base64, is_url
from manysense.media.policy import DEFAULT, Policy

SECRET = b"secret-content"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
ENCODED = base64.b64encode(PICTURE).decode()
SMALL = replace(DEFAULT, max_bytes=100)
CLOSED = Policy(files=False, network=False)


def image(value, policy=DEFAULT):
    return fetch(value, policy, modality="image")


def wrong(value, error=MediaError, match=None, policy=DEFAULT):
    with pytest.raises(error, match=match) as caught:
        image(value, policy)
    assert caught.value.source == describe(value)
    assert caught.value.index is None
    assert str(caught.value).startswith(f"cannot open image '{describe(value)}': ")
    return caught.value


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "a b#ü%.png").write_bytes(PICTURE)
    (tmp_path / "empty.png").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


# bytes and file objects


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_bytes_of_every_kind_are_held(kind):
    blob = image(kind(PICTURE), CLOSED)
    assert (type(blob.data), blob.data, blob.path) == (bytes, PICTURE, None)


@pytest.mark.parametrize(
    "value", [b"", bytearray(), memoryview(b""), io.BytesIO(), {"bytes": b"", "path": "a"}, "data:,"]
)
def test_nothing_at_all_is_an_error(value):
    wrong(value, match="is empty")


def test_later_changes_of_the_callers_buffer_do_not_matter():
    buffer = bytearray(PICTURE)
    blob = image(buffer)
    buffer[:] = b"\0" * len(buffer)
    assert blob.data == PICTURE


def test_a_released_memoryview_is_an_error():
    view = memoryview(PICTURE)
    view.release()
    wrong(view, match="released")


@pytest.mark.parametrize("position", [0, 3, len(PICTURE)])
def test_a_file_object_is_read_from_its_start_and_put_back(position):
    file = io.BytesIO(PICTURE)
    file.seek(position)
    assert image(file).data == PICTURE
    assert file.tell() == position


def test_the_position_is_put_back_when_the_file_is_too_large():
    file = io.BytesIO(PICTURE)
    file.seek(7)
    wrong(file, MediaTooLarge, "longer than the cap of 100 bytes", SMALL)
    assert file.tell() == 7


def test_files_of_the_standard_library_are_read(folder):
    with zipfile.ZipFile("a.zip", "w") as archive, gzip.open("a.gz", "wb") as packed:
        archive.writestr("x", PICTURE)
        packed.write(PICTURE)
    with zipfile.ZipFile("a.zip", "w") as archive, gzip.open("a.gz", "wb") as packed:
        archive.writestr("x", PICTURE)
        packed.write(PICTURE)
    name = folder / "a b#ü%.png"
    with (
        name.open("rb") as plain,
        name.open("rb", buffering=0) as raw,
        gzip.open("a.gz") as packed,
        zipfile.ZipFile("a.zip") as archive,
        archive.open("x") as member,
        tempfile.SpooledTemporaryFile() as spooled,
    ):
        spooled.write(PICTURE)
        assert [image(file).data for file in (plain, raw, packed, member, spooled)] == [PICTURE] * 5


def pipe(data):
    ours, theirs = os.pipe()
    os.write(theirs, data)
    os.close(theirs)
    return os.fdopen(ours, "rb")


def test_a_file_that_cannot_seek_is_read_from_where_it_stands():
    with pipe(b"xx" + PICTURE) as file:
        file.read(2)
        assert image(file).data == PICTURE


def test_a_file_that_cannot_seek_is_read_up_to_the_cap():
    with pipe(PICTURE) as file:
        wrong(file, MediaTooLarge, "cap of 100 bytes", SMALL)


def test_a_cap_is_inclusive():
    assert image(io.BytesIO(b"x" * 100), SMALL).size == 100


def test_a_closed_file_is_an_error():
    file = io.BytesIO(PICTURE)
    file.close()
    wrong(file, match="is closed")


class Characters:
    """Not a TextIOBase, and gives str all the same."""

    def read(self, count=-1):
        return "secret-content"


class Broken:
    def read(self, count=-1):
        raise RuntimeError("secret-content")


class NotYet:
    """A raw file in non-blocking mode."""

    def read(self, count=-1):
        return None


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (io.StringIO("secret-content"), "opened as text"),
        (Characters(), "gives str, not bytes"),
        (NotYet(), "gives NoneType, not bytes"),
        (Broken(), "reading the file object failed .RuntimeError."),
    ],
)
def test_a_file_object_without_bytes_is_an_error_that_shows_no_content(file, says):
    assert "secret" not in str(wrong(file, match=says))


@pytest.mark.parametrize(
    "value", [None, 7, 1.5, [PICTURE], {"url": "x"}, {"bytes": None, "path": None}, np.zeros((2, 3))]
)
def test_a_value_without_bytes_is_not_supported(value):
    wrong(value, UnsupportedInput)


# paths


@pytest.mark.parametrize(
    "value",
    [
        "a b#ü%.png",
        Path("a b#ü%.png"),
        "./a b#ü%.png",
        "~/a b#ü%.png",
        Path("~/a b#ü%.png"),
        {"bytes": None, "path": "a b#ü%.png"},
        {"path": Path("a b#ü%.png")},
    ],
)
def test_a_local_file_is_found_and_left_unread(folder, value):
    blob = image(value, replace(SMALL, network=False))
    assert blob.data is None
    assert blob.path is not None
    assert blob.open().read() == PICTURE
    assert blob.source == describe(value)


@pytest.mark.parametrize("start", ["file://", "file://localhost", "file:", "FILE://LOCALHOST"])
def test_a_file_url_is_decoded(folder, start):
    blob = image(f"{start}{folder}/a%20b%23%C3%BC%25.png?x#y")
    assert blob.path == folder / "a b#ü%.png"


def test_a_symbolic_link_is_followed(folder):
    Path("link").symlink_to("a b#ü%.png")
    assert image("link").open().read() == PICTURE


def test_a_name_that_no_text_encoding_fits_is_found(folder):
    name = os.fsdecode(b"\xff.png")
    Path(name).write_bytes(PICTURE)
    assert image(f"file://{folder}/%FF.png").open().read() == image(Path(name)).open().read() == PICTURE
    assert describe(name).isprintable()


@pytest.mark.parametrize("value", ["missing.png", Path("no/such"), "a b#ü%.png/x", "~nosuchuser/x", "file:///no/such"])
def test_a_missing_file_is_not_found(folder, value):
    error = wrong(value, MediaNotFound, "no such file")
    assert isinstance(error, FileNotFoundError)
    assert isinstance(error.__cause__, OSError)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (".", "is a folder"),
        ("~", "is a folder"),
        ("/dev/zero", "device"),
        ("/dev/null", "device"),
        ("pipe", "pipe"),
        ("socket", "socket"),
        ("empty.png", "is empty"),
        ("", "path is empty"),
        ("a\0b", "characters that no path has"),
        ("~a\0b", "characters that no path has"),
        ("~\ud800/x", "characters that no path has"),
        ("a\ud800b", "characters that no path has"),
        ("file:///a%00b", "characters that no path has"),
        ("file:///a\ud800b", "half of a character"),
        ("x.y" * 100, "too long for a path"),
        ("x.y/" * 2000, "too long for a path"),
        ("circle", "file system says"),
        ("file:a.png", "absolute path"),
        ("file:", "absolute path"),
    ],
    ids=ascii,
)
def test_what_is_not_a_file_with_content_is_an_error(folder, value, says):
    os.mkfifo("pipe")
    Path("circle").symlink_to("circle")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert not isinstance(wrong(value, match=says), MediaNotFound)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_an_error(folder):
    Path("locked").write_bytes(SECRET)
    Path("locked").chmod(0)
    wrong("locked", match="permission")


def test_an_unreadable_file_is_an_error_for_root_too(folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    wrong("a b#ü%.png", match="no permission to read")


@pytest.mark.parametrize("value", ["a b#ü%.png", Path("x"), "missing", "", "file:///etc/passwd", {"path": "x"}])
def test_local_files_can_be_switched_off(folder, value, monkeypatch):
    monkeypatch.setattr(os, "stat", lambda *_, **__: pytest.fail("it looked"))
    wrong(value, FetchRefused, "does not open local files", Policy(files=False))


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1", "user@localhost", "localhost:80", "%6cocalhost"])
def test_a_file_url_of_another_machine_is_refused(folder, host):
    wrong(f"file://{host}/a.png", FetchRefused, "another machine")


# dicts


def test_the_bytes_of_a_dict_win_and_its_path_is_the_name():
    blob = image({"bytes": PICTURE, "path": "no/such.png"}, CLOSED)
    assert (blob.data, blob.source) == (PICTURE, "no/such.png")


def test_the_path_of_a_dict_may_be_a_url():
    assert image({"bytes": None, "path": f"data:;base64,{ENCODED}"}).data == PICTURE


def test_the_bytes_of_a_dict_are_never_read_as_a_path():
    wrong({"bytes": "/etc/passwd", "path": None}, UnsupportedInput)


# data URIs and base64


@pytest.mark.parametrize(
    ("uri", "data", "kind"),
    [
        (f"data:image/png;base64,{ENCODED}", PICTURE, "image/png"),
        (f"DATA:Image/PNG;charset=x;BASE64,{ENCODED}", PICTURE, "image/png"),
        (f"data:;base64,{ENCODED.rstrip('=')}", PICTURE, None),
        (f"data:image/png; base64,{ENCODED[:40]}\n {ENCODED[40:]}", PICTURE, "image/png"),
        ("data:image/png;base64," + ENCODED.replace("+", "%2B").replace("/", "%2F"), PICTURE, "image/png"),
        ("data:,a%20b,c%ff", b"a b,c\xff", None),
        ("data:image/x-icon,ü", "ü".encode(), "image/x-icon"),
        ("data:base64,YWI=", b"YWI=", "base64"),
    ],
)
def test_a_data_uri_is_decoded(uri, data, kind):
    blob = image(uri, CLOSED)
    assert (blob.data, blob.content_type) == (data, kind)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("data:", "without a comma"),
        ("data:image/png;base64", "without a comma"),
        ("data:;base64,c2Vjcm!0", "base64 is malformed"),
        ("data:;base64,c2Vjc", "base64 is malformed"),
        ("data:;base64,c2=V", "base64 is malformed"),
        ("data:;base64,c2Vjc===", "base64 is malformed"),
        ("data:;base64,ü", "base64 is malformed"),
        ("data:;base64,", "is empty"),
        ("data:;base64, ", "is empty"),
        ("data:,\ud800", "half of a character"),
    ],
    ids=ascii,
)
def test_a_malformed_data_uri_is_an_error(uri, says):
    wrong(uri, match=says)


@pytest.mark.parametrize("uri", [f"data:;base64,{ENCODED}", "data:," + "x" * 101, ENCODED])
def test_decoded_data_is_under_the_cap(uri):
    wrong(uri, MediaTooLarge, "cap is 100 bytes", replace(SMALL, files=False))


@pytest.mark.parametrize("text", [ENCODED, f"{ENCODED[:76]}\r\n{ENCODED[76:]}\r\n", ENCODED.rstrip("=")])
def test_bare_base64_of_a_medium_is_decoded(folder, text):
    assert is_base64(text)
    assert image(text).data == PICTURE


@pytest.mark.parametrize(
    "text",
    [
        "",
        ENCODED[:36],
        base64.b64encode(b"just some words that nobody draws or sings").decode(),
        "photos/2019/summer/holidays/" * 4,
        "a/" * 40 + "picture.png",
        ENCODED[:60] + "*!" + ENCODED[60:],
    ],
)
def test_other_text_is_a_path(folder, text):
    assert not is_base64(text)


def test_base64_that_goes_wrong_later_is_malformed(folder):
    wrong(base64.b64encode(PICTURE * 40).decode() + "!", match="malformed")


def test_a_file_whose_name_is_base64_is_that_file(folder):
    name = ENCODED[:48]
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(SECRET)
    assert is_base64(name)
    assert image(name).path == Path(name)


# names for messages


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("a.png", "a.png"),
        (Path("x/a.png"), "x/a.png"),
        ("a\nb\x1b[31m\u202e\0", "a\\nb\\x1b[31m\\u202e\\x00"),
        ("x" * 200 + "/end.png", "x" * 40 + "…" + "x" * 71 + "/end.png"),
        (SECRET, "bytes (14 bytes)"),
        (bytearray(2500), "bytearray (2.5 kB)"),
        (memoryview(SECRET), "memoryview"),
        (io.BytesIO(SECRET), "BytesIO"),
        ({"bytes": SECRET, "path": None}, "bytes (14 bytes)"),
        ({"bytes": SECRET, "path": "a.png"}, "a.png"),
        ("data:image/png;base64,c2VjcmV0", "data:image/png;base64,… (30 characters)"),
        ("data:" + "s" * 1000, "data:,… (1005 characters)"),
        (ENCODED, f"base64 text ({len(ENCODED)} characters)"),
        ("https://u:pw@h.test:8080/a.png?sig=secret#secret", "https://h.test:8080/a.png?…"),
        ("https://h.test/@someone/a.png", "https://h.test/@someone/a.png"),
        ("https://[::1]:80/", "https://[::1]:80/"),
        ("https://u:se/cret@h.test/", "https://…"),
        ("https://u:se?cret@h.test/", "https://…"),
        ("http:u:secret@h.test", "http://h.test"),
        ("https:\\\\u:secret@h.test/", "https://h.test/"),
        ("file:///x/a.png", "file:///x/a.png"),
        ("file://u:pw@h/a.png", "file://h/a.png"),
        (np.zeros((3, 4)), "ndarray (3, 4)"),
        (None, "NoneType"),
    ],
)
def test_a_value_has_a_short_name_without_secrets_or_content(value, name):
    assert describe(value) == name


def test_a_file_object_is_called_by_its_name(folder):
    with open("a b#ü%.png", "rb") as file:
        assert describe(file) == "BufferedReader of a b#ü%.png"


@pytest.mark.parametrize(
    "text", ["http://x", "HTTPS:x", "s3://b/k", "data:,x", "javascript:x", "http:\\\\x", "file:/x"]
)
def test_a_scheme_makes_a_url(text):
    assert is_url(text)


@pytest.mark.parametrize(
    "text", ["a.png", "C:\\a.png", "C:/a.png", "C://a.png", "a:b.png", "//host/x", "see: http://x"]
)
def test_a_path_is_no_url(text):
    assert not is_url(text)
