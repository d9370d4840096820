"""Rerankers behind HTTP: both forms of the JSON, over a real server on loopback."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from manysense.bench.endpoint import Endpoint, is_loopback
from manysense.errors import UsageError


class Served(ThreadingHTTPServer):
    """Keeps what it was asked, and answers with what `answer` makes of it: (status, value)."""

    daemon_threads = True

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.asked, self.connections, self.close_after = answer, [], 0, None

    def handle_error(self, request, client_address):
        """A client that gave up is no news."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/rerank"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def setup(self):
        super().setup()
        self.server.connections += 1
        self.timeout = self.server.close_after
        if self.timeout:
            self.connection.settimeout(self.timeout)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        status, value = self.server.answer(body)
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def serve():
    running = []

    def start(answer):
        server = Served(answer)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def cohere(body):
    return 200, {"results": [{"index": i, "relevance_score": float(i)} for i in range(len(body["documents"]))][::-1]}


def tei(body):
    return 200, [{"index": i, "score": float(i)} for i in range(len(body["texts"]))]


def test_the_form_of_cohere_and_jina(serve):
    server = serve(cohere)
    found = Endpoint(server.url, served_name="some-reranker").rank("q", ["a", "b"])
    assert found == [{"corpus_id": 1, "score": 1.0}, {"corpus_id": 0, "score": 0.0}]
    expected = {"query": "q", "documents": ["a", "b"], "top_n": 2, "model": "some-reranker"}
    assert server.asked == [("/rerank", expected)]


def test_the_form_of_text_embeddings_inference(serve):
    server = serve(tei)
    found = Endpoint(server.url, form="texts").rank("q", ["a", "b"])
    assert found == [{"corpus_id": 0, "score": 0.0}, {"corpus_id": 1, "score": 1.0}]
    assert server.asked == [("/rerank", {"query": "q", "texts": ["a", "b"]})]


def test_pictures_travel_in_the_request(serve, samples):
    server = serve(cohere)
    picture = samples / "red_circle.png"
    Endpoint(server.url).rank("q", [str(picture), {"text": "red.png", "image": str(picture)}])
    uri = f"data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}"
    assert server.asked[0][1]["documents"] == [{"image": uri}, {"text": "red.png", "image": uri}]


def test_what_an_endpoint_cannot_be_sent_is_an_error_of_the_request(samples):
    with pytest.raises(ValueError, match="text and pictures"):
        Endpoint("http://127.0.0.1:9/rerank").rank("q", [str(samples / "chime.wav")])
    with pytest.raises(ValueError, match="text alone"):
        Endpoint("http://127.0.0.1:9/rerank", form="texts").rank("q", [str(samples / "red_circle.png")])


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((503, {"error": "overloaded"}), OSError, "HTTP 503.*overloaded"),
        ((200, {"data": []}), ValueError, "no answer of a /rerank endpoint"),
        ((200, [{"place": 0}]), ValueError, "no answer of a /rerank endpoint"),
    ],
)
def test_an_answer_that_is_none_says_what_came(serve, answer, error, said):
    server = serve(lambda body: answer)
    with pytest.raises(error, match=said):
        Endpoint(server.url).rank("q", ["a"])


def test_a_server_that_hangs_is_given_up(serve):
    over = threading.Event()
    server = serve(lambda body: (over.wait(10), cohere(body))[1])
    with pytest.raises(TimeoutError, match=r"within 0\.05 s"):
        Endpoint(server.url, timeout=0.05).rank("q", ["a"])
    over.set()


def test_a_connection_is_kept_and_made_anew_where_the_server_closed_it(serve):
    server = serve(cohere)
    endpoint = Endpoint(server.url)
    for _ in range(3):
        endpoint.rank("q", ["a"])
    assert server.connections == 1
    server.close_after = 0.05
    other = Endpoint(server.url)
    other.rank("q", ["a"])
    threading.Event().wait(0.3)  # the server closes what lies idle
    other.rank("q", ["a"])
    assert server.connections == 3


def test_only_this_machine_is_loaded_unless_asked():
    with pytest.raises(UsageError, match="--allow-remote"):
        Endpoint("http://192.0.2.1/rerank")
    Endpoint("http://192.0.2.1/rerank", allow_remote=True)
    with pytest.raises(UsageError, match=r"no http\(s\) URL"):
        Endpoint("ftp://127.0.0.1/")


@pytest.mark.parametrize(
    ("host", "here"),
    [
        *(("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True)),
        *(("10.0.0.1", False), ("0.0.0.0", False), ("localhost.example.org", False), ("example.org", False)),
    ],
)
def test_loopback_is_decided_by_the_name(host, here):
    assert is_loopback(host) == here
