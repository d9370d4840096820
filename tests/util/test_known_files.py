"""http_get, load_file_path, load_dir_path, is_sentence_transformer_model; names of objects; logging."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from checkpoints.hub_stub import serving
from manysense import Policy, UsageError, errors, util

HERE = Policy(private_hosts=True)

HALF = bytes(3 * 65536)


class _Half(BaseHTTPRequestHandler):
    """Announces twice as much as it sends; before it breaks off, `server.meanwhile` looks around."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(2 * len(HALF)))
        self.end_headers()
        self.wfile.write(HALF)
        deadline = time.monotonic() + 5
        while (seen := self.server.meanwhile()) != [len(HALF)] and time.monotonic() < deadline:
            time.sleep(0.01)
        self.server.seen = seen

    def log_message(self, *args):
        pass


class _Zeros(_Half):
    """Sends 32 MiB."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(32 * 2**20))
        self.end_headers()
        for _ in range(512):
            self.wfile.write(bytes(65536))


@contextlib.contextmanager
def _answering(handler):
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    http.url, http.meanwhile = f"http://127.0.0.1:{http.server_port}/", lambda: [len(HALF)]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield http
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


@pytest.fixture
def broken_off():
    with _answering(_Half) as http:
        yield http


@pytest.fixture
def server_of_zeros():
    with _answering(_Zeros) as http:
        yield http.url


# ---- http_get


def test_a_file_is_downloaded_whole_and_its_folders_are_made(server, samples, tmp_path):
    place = tmp_path / "new" / "folder" / "circle.png"
    assert util.http_get(f"{server}/red_circle.png", str(place), policy=HERE) is None
    assert place.read_bytes() == (samples / "red_circle.png").read_bytes()
    assert os.listdir(place.parent) == ["circle.png"]


def test_a_file_that_is_there_is_replaced(server, samples, tmp_path):
    place = tmp_path / "page.txt"
    place.write_text("old")
    util.http_get(f"{server}/sentences.txt", place, policy=HERE)
    assert place.read_bytes() == (samples / "sentences.txt").read_bytes()


def test_a_download_that_fails_leaves_everything_as_it_was(server, tmp_path):
    place = tmp_path / "kept.txt"
    place.write_text("old")
    for url, policy, error in (
        (f"{server}/nothing_here.txt", HERE, errors.FetchError),
        (f"{server}/sentences.txt", Policy(private_hosts=True, max_bytes=10), errors.MediaTooLarge),
        (f"{server}/sentences.txt", Policy(), errors.FetchRefused),
    ):
        with pytest.raises(error, match="cannot fetch"):
            util.http_get(url, place, policy=policy)
        with pytest.raises(error):
            util.http_get(url, tmp_path / "new" / "file", policy=policy)
    assert place.read_text() == "old"
    assert os.listdir(tmp_path) == ["kept.txt"]


def test_a_download_that_breaks_in_the_middle_leaves_nothing(broken_off, tmp_path):
    place = tmp_path / "new" / "file.bin"
    with pytest.raises(errors.FetchError, match="the connection ended"):
        util.http_get(broken_off.url, place, policy=HERE)
    assert os.listdir(tmp_path) == []


def test_until_it_is_whole_a_download_has_another_name(broken_off, tmp_path):
    place = tmp_path / "kept.bin"
    place.write_text("old")
    broken_off.meanwhile = lambda: [path.stat().st_size for path in tmp_path.glob(".kept.bin.*.part")]
    with pytest.raises(errors.FetchError):
        util.http_get(broken_off.url, place, policy=HERE)
    assert broken_off.seen == [len(HALF)]
    assert place.read_text() == "old"


def test_a_download_that_is_interrupted_leaves_nothing(broken_off, tmp_path, monkeypatch):
    def interrupt(self, piece):
        raise KeyboardInterrupt

    monkeypatch.setattr("manysense.util.files._Part.write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        util.http_get(broken_off.url, tmp_path / "file.bin", policy=HERE)
    assert os.listdir(tmp_path) == []


def test_a_download_is_not_held_in_memory(server_of_zeros, tmp_path):
    tracemalloc.start()
    try:
        util.http_get(server_of_zeros, tmp_path / "file.bin", policy=HERE)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "file.bin").stat().st_size == 32 * 2**20
    assert most < 4 * 2**20


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("show", "shown"), [(True, True), (False, False)])
def test_a_terminal_shows_how_far_a_download_is_unless_told_not_to(server_of_zeros, tmp_path, monkeypatch, show, shown):
    monkeypatch.setattr(sys, "stderr", Terminal())
    util.http_get(server_of_zeros, tmp_path / "zeros.bin", policy=HERE, show_progress_bar=show)
    assert ("zeros.bin, KiB" in sys.stderr.getvalue() and "/32768" in sys.stderr.getvalue()) is shown
    assert bool(sys.stderr.getvalue()) is shown


def test_a_log_shows_nothing_of_a_download(server_of_zeros, tmp_path, capsys):
    util.http_get(server_of_zeros, tmp_path / "zeros.bin", policy=HERE)
    assert capsys.readouterr() == ("", "")


def test_a_disk_that_is_full_leaves_the_old_file_and_no_piece_of_the_new(server, tmp_path):
    resource = pytest.importorskip("resource")
    place = tmp_path / "kept.txt"
    place.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))  # no file may grow over 100 bytes
    try:
        with pytest.raises(OSError, match="File too large"):
            util.http_get(f"{server}/sentences.txt", place, policy=HERE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert place.read_text() == "old"
    assert os.listdir(tmp_path) == ["kept.txt"]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "data:,text", "samples/red_circle.png", "ftp://host/file", ""])
def test_what_is_no_http_address_is_refused(url, tmp_path):
    with pytest.raises(UsageError, match="http_get downloads http:// and https://"):
        util.http_get(url, tmp_path / "file")


def test_a_folder_is_no_place_for_a_file(server, tmp_path):
    with pytest.raises(UsageError, match="is a folder"):
        util.http_get(f"{server}/sentences.txt", tmp_path, policy=HERE)


# ---- files of a model


def test_a_folder_with_modules_json_is_a_model_and_a_bare_one_is_not(twin):
    assert util.is_sentence_transformer_model(str(twin("bert"))) is True
    assert util.is_sentence_transformer_model(twin("bert-bare")) is False
    assert util.is_sentence_transformer_model("manysense/starter") is True


def test_a_file_or_folder_of_a_model_is_found_and_one_that_is_not_there_is_none(twin):
    folder = twin("bert")
    assert util.load_file_path(str(folder), "modules.json") == str(folder / "modules.json")
    assert util.load_file_path(folder, "config.json", subfolder="1_Pooling") == str(
        folder / "1_Pooling" / "config.json"
    )
    assert util.load_file_path(folder, Path("1_Pooling", "config.json")) == str(folder / "1_Pooling" / "config.json")
    assert util.load_dir_path(str(folder), "1_Pooling") == str(folder / "1_Pooling")
    assert util.load_dir_path(folder, "") == str(folder)
    assert util.load_file_path(folder, "nothing.json") is None
    assert util.load_dir_path(folder, "7_Nothing") is None


@pytest.mark.parametrize("path", ["../secrets.json", "/etc/passwd", "a/../../b", "C:\\x", "\\\\host\\x", "a\0b"])
def test_a_path_out_of_the_model_is_refused(twin, path):
    for ask in (
        lambda: util.load_file_path(twin("bert"), path),
        lambda: util.load_file_path(twin("bert"), "config.json", subfolder=path),
        lambda: util.load_dir_path(twin("bert"), path),
    ):
        with pytest.raises(UsageError, match="leads out of the model's folder"):
            ask()


def test_without_the_hub_a_name_that_is_not_cached_has_no_file(tmp_path):
    for name in ("owner/model", "just-a-name", "no/such/folder"):
        assert util.load_file_path(name, "modules.json", cache_folder=tmp_path, local_files_only=True) is None
        assert util.load_dir_path(name, "1_Pooling", cache_folder=tmp_path, local_files_only=True) is None


ASK = """
import sys
from manysense import util
from manysense.errors import ModelNotFound
for ask in sys.argv[1:]:
    try:
        print(eval("util." + ask))
    except ModelNotFound as error:
        print("ModelNotFound:", str(error).splitlines()[0])
"""


@pytest.fixture
def asked(tmp_path):
    """asked(hub, *calls) → what each call says, in a process of its own, whose Hub is `hub`."""

    def ask(url: str, *calls: str) -> list[str]:
        settings = {"HF_ENDPOINT": url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
        done = subprocess.run(
            [sys.executable, "-c", ASK, *calls],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    return ask


@pytest.mark.slow
def test_a_name_on_the_hub_gives_the_files_that_it_has(twin, asked):
    with serving() as hub:
        hub.add("somebody/bert", twin("bert"))
        hub.add("sentence-transformers/by-default", twin("bert"))
        hub.add("somebody/bare", twin("bert-bare"))
        said = asked(
            hub.url,
            "is_sentence_transformer_model('somebody/bert')",
            "is_sentence_transformer_model('by-default')",
            "is_sentence_transformer_model('somebody/bare')",
            "load_file_path('somebody/bert', 'config.json', '1_Pooling')",
            "load_dir_path('somebody/bert', '1_Pooling')",
            "load_dir_path('somebody/bert', '7_Nothing')",
            "is_sentence_transformer_model('somebody/nothing')",
        )
        asked_for_weights = hub.count("safetensors")
    again = asked("http://127.0.0.1:9", "is_sentence_transformer_model('somebody/bert')", "load_file_path('a/b', 'c')")
    assert said[:3] == ["True", "True", "False"]
    assert said[3].endswith(os.path.join("1_Pooling", "config.json"))
    assert os.path.isfile(said[3])
    assert os.listdir(said[4])
    assert said[5].startswith("ModelNotFound: model 'somebody/bert' has no folder '7_Nothing'")
    assert said[6].startswith("ModelNotFound: model 'somebody/nothing' is neither a folder nor a repository")
    assert asked_for_weights == 0
    assert again[0] == "True"
    assert again[1].startswith("ModelNotFound: model 'a/b' is neither a folder nor in the local cache")


# ---- names


def test_a_class_is_found_by_its_name_and_named_by_itself():
    for kind in (util.SimilarityFunction, errors.ItemError, Path):
        assert util.import_from_string(util.fullname(kind)) is kind
    assert util.fullname(errors.UsageError("x")) == "manysense.errors.UsageError"
    assert util.fullname("text") == util.fullname(str) == "str"


def test_a_module_that_is_named_as_its_class_gives_the_class(tmp_path, monkeypatch):
    (tmp_path / "shapes").mkdir()
    (tmp_path / "shapes" / "__init__.py").write_text("")
    (tmp_path / "shapes" / "Circle.py").write_text("class Circle: pass")
    monkeypatch.syspath_prepend(tmp_path)
    assert util.fullname(util.import_from_string("shapes.Circle")) == "shapes.Circle.Circle"


@pytest.mark.parametrize("name", ["manysense", "manysense.util.Nothing", "no_such_package.Thing", "a.", ".a", ""])
def test_a_name_of_nothing_is_an_import_error(name):
    with pytest.raises(ImportError, match=r"no dotted path|there is no"):
        util.import_from_string(name)


def test_a_module_that_misses_something_of_its_own_says_what(tmp_path, monkeypatch):
    (tmp_path / "broken_inside.py").write_text("import not_installed_here")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="not_installed_here"):
        util.import_from_string("broken_inside.Thing")


# ---- logging


def test_a_record_goes_to_standard_output_in_the_handlers_format(capsys):
    logger = logging.Logger("test")
    handler = util.LoggingHandler()
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    logger.warning("%d of %d", 3, 10)
    assert capsys.readouterr().out == "WARNING: 3 of 10\n"


def test_a_record_that_cannot_be_formatted_is_reported_and_raises_nothing(capsys):
    logger = logging.Logger("test")
    logger.addHandler(util.LoggingHandler())
    logger.warning("%d", "three")
    assert "Logging error" in capsys.readouterr().err


def test_nothing_is_logged_within_the_context_and_everything_after_it(caplog):
    logger = logging.getLogger("manysense")
    with util.disable_logging(logging.WARNING):
        logger.warning("not this")
        logger.error("this")
    logger.warning("that")
    with pytest.raises(KeyError), util.disable_logging():
        {}["nothing"]
    logger.warning("and that")
    assert [record.message for record in caplog.records] == ["this", "that", "and that"]


# ---- what is not here yet


@pytest.mark.parametrize("name", ["mine_hard_negatives", "resolve_ids"])
def test_what_is_not_here_yet_says_so_when_it_is_called(name):
    with pytest.raises(errors.NotSupported, match=f"^{name} is not supported yet"):
        getattr(util, name)("model", some_option=1)


def test_a_name_that_is_nowhere_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'no_such_function'"):
        util.no_such_function  # noqa: B018


def test_training_is_not_available():
    assert util.is_training_available() is False


def test_every_public_function_is_documented_and_listed_in_order():
    assert util.__all__ == sorted(util.__all__)
    assert [name for name in util.__all__ if not getattr(util, name).__doc__] == []
