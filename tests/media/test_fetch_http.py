"""The network half of the door, against real servers on loopback."""

import contextlib
import socket
import ssl
import threading
import time
from dataclasses import replace

import pytest

from manysense import __version__
from manysense.errors import FetchError, FetchRefused, MediaTooLarge
from manysense.media import http
from manysense.media.address import is_public, printable_url
from manysense.media.fetch import fetch
from manysense.media.policy import Policy

LOCAL = Policy(private_hosts=True, connect_seconds=2, read_seconds=2, total_seconds=4, max_bytes=100_000)
HASTY = replace(LOCAL, total_seconds=0.4)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PICTURE = b"\xff\xd8\xff" + b"\0" * 1000

# For tests only: names "localhost", signed by itself, valid from 2020 to 2120.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgL9U2zwJLmEJiKvPR
ob9GWAOiet4ZjsqYr3v8HPMeW0+hRANCAARATTguJS7hi0Ox7YfEoZ4XIPzA8Hyr
oXiJ89uRIfyFs9kfJwpz8k+Udk32dsfmpqn4DTQ1e+8jGqlu3kumBWfe
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBYTCCAQegAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEBNOC4lLuGLQ7Ht
h8Shnhcg/MDwfKuheInz25Eh/IWz2R8nCnPyT5R2TfZ2x+amqfgNNDV77yMaqW7e
S6YFZ96jSDBGMA8GA1UdEwEB/wQFMAMBAf8wFAYDVR0RBA0wC4IJbG9jYWxob3N0
MB0GA1UdDgQWBBRsVBL3GXObe251iFnAEoTFNTYkuzAKBggqhkjOPQQDAgNIADBF
AiBBhBVnX/DtjUdzxBmjyjtcB/9uB6PU8L8u9LzMtnVIZAIhAOwXQRIo4vqtXMsq
drN9hueNizyfNZXZcPOHXnvsi+sy
-----END CERTIFICATE-----
"""


def reply(body=PICTURE, status="200 OK", **headers):
    headers = {"Content-Length": len(body), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(to, status="302 Found"):
    return reply(b"", status, Location=to)


class Server:
    """Answers every connection with what `answer` says: bytes, a dict of bytes by path, or a function of the socket."""

    def __init__(self, answer, context=None):
        self.answer, self.context, self.requests = answer, context, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self.listener.accept()[:1], daemon=True).start()

    def _serve(self, sock):
        with contextlib.suppress(OSError), sock:
            sock.settimeout(5)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            request = b""
            while b"\r\n\r\n" not in request and request[:1] != b"\x16" and (piece := sock.recv(65536)):
                request += piece
            self.requests.append(request)
            answer = self.answer
            if isinstance(answer, dict):
                answer = answer[request.split()[1].decode()]
            if callable(answer):
                answer(sock)
            else:
                sock.sendall(answer)
            sock.close()


@pytest.fixture
def serve():
    servers = []

    def start(answer, context=None):
        servers.append(Server(answer, context))
        return servers[-1]

    yield start
    for server in servers:
        server.listener.close()


@pytest.fixture
def names(monkeypatch):
    """A name server: names[host] is a list of addresses, or a list of such lists, one for each look-up."""
    table, asked = {}, []

    def lookup(host, port, **_):
        asked.append(host)
        found = table[host]
        if found and isinstance(found[0], list):
            found = found.pop(0)
        family = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in found]
        return [(kind, socket.SOCK_STREAM, 6, "", (address, port)) for kind, address in zip(family, found)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    table["asked"] = asked
    return table


def image(url, policy=LOCAL):
    return fetch(url, policy, modality="image")


def refused(url, policy=LOCAL, error=FetchError, match=None):
    with pytest.raises(error, match=match) as caught:
        image(url, policy)
    assert caught.value.source == printable_url(url)
    return caught.value


# what works


def test_a_body_comes_back_with_its_media_type(serve):
    server = serve(reply(Content_Type="Image/JPEG; q=1"))
    blob = image(server.url + "/a.jpg?size=2")
    assert (blob.data, blob.content_type, blob.path) == (PICTURE, "image/jpeg", None)
    assert blob.source == f"{server.url}/a.jpg?…"


def test_the_request_says_who_asks_and_nothing_else(serve):
    server = serve(reply())
    image(server.url + "/a b/ü.jpg?q=ü&x=1#part")
    assert server.requests[0].decode().split("\r\n") == [
        "GET /a%20b/%C3%BC.jpg?q=%C3%BC&x=1 HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"User-Agent: manysense/{__version__}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        reply(Content_Length=None),
        CHUNKED + b"3;x=y\r\n\xff\xd8\xff\r\n3E8\r\n" + b"\0" * 1000 + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + reply(),
        reply(Content_Type="application/octet-stream"),
        reply(Content_Encoding="identity"),
        b"HTTP/1.0 200\r\n\r\n" + PICTURE,
    ],
    ids=["until the end", "chunked", "after a 100", "octet-stream", "identity", "HTTP/1.0"],
)  # fmt: skip
def test_every_plain_framing_is_read(serve, answer):
    assert image(serve(answer).url).data == PICTURE


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_followed(serve, status):
    server = serve({"/a/b": redirect("../c\xc3\xbc?d", status), "/c%C3%BC?d": reply()})
    assert image(server.url + "/a/b").data == PICTURE


def test_proxy_variables_are_ignored(serve, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert image(serve(reply()).url).data == PICTURE


def test_the_second_address_is_tried_when_the_first_does_not_answer(serve, names):
    server = serve(reply())
    names["two.test"] = ["::1", "127.0.0.1"]
    assert image(f"http://two.test:{server.port}").data == PICTURE


# where it may go


def test_the_network_can_be_switched_off(serve):
    server = serve(reply())
    refused(server.url, replace(LOCAL, network=False), FetchRefused, "switched off")
    assert not server.requests


def test_loopback_is_refused_unless_allowed(serve):
    server = serve(reply())
    refused(server.url, Policy(), FetchRefused, "not on the public Internet")
    assert not server.requests


@pytest.mark.parametrize("listed", [{"localhost"}, {"LOCALHOST."}, {"elsewhere.test", "localhost"}])
def test_a_listed_host_is_fetched(serve, listed):
    url = f"http://LocalHost:{serve(reply()).port}/"
    assert image(url, replace(LOCAL, hosts=frozenset(listed))).data == PICTURE


@pytest.mark.parametrize("listed", [set(), {"host"}, {"localhost.test"}, {"127.0.0.1"}])
def test_a_host_off_the_list_is_refused(serve, listed):
    url = f"http://localhost:{serve(reply()).port}/"
    refused(url, replace(LOCAL, hosts=frozenset(listed)), FetchRefused, "list of hosts")


HOSTILE = """
http://localhost/            http://localhost./           http://LOCALHOST/           http://127.0.0.1/
http://127.0.0.1./           http://127.1/                http://127.0.1/             http://0/
http://2130706433/           http://0x7f000001/           http://0x7f.1/              http://017700000001/
http://0177.0.0.1/           http://127.0.0.01/           http://0.0.0.0/             http://10.0.0.1/
http://172.16.0.1/           http://192.168.1.1/          http://100.64.0.1/          http://169.254.169.254/latest
http://198.18.0.1/           http://192.0.0.192/          http://224.0.0.1/           http://240.0.0.1/
http://255.255.255.255/      http://168.63.129.16/        http://192.88.99.1/         http://1.2.3.4.5/
http://[::1]/                http://[::]/                 http://[::ffff:127.0.0.1]/  http://[::ffff:a9fe:a9fe]/
http://[::127.0.0.1]/        http://[2002:7f00:1::]/      http://[64:ff9b::7f00:1]/   http://[64:ff9b::a9fe:a9fe]/
http://[64:ff9b:1::1]/       http://[2001:0:1::1]/        http://[fe80::1]/           http://[fe80::1%25lo]/
http://[fc00::1]/            http://[fd00:ec2::254]/      http://[fec0::1]/           http://[ff02::1]/
http://[2001:db8::1]/        http://[3fff::1]/            http://[::1].public.test/   http://[::1
http://[v1.x]/               http://①②⑦.⓪.⓪.①/           http://１２７.０.０.１/      http://127。0。0。1/
http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/             http://%31%32%37.0.0.1/      http://local%68ost/         http://127.0.0.1%00.public.test/
http://public.test@127.0.0.1/ http://u:p@public.test/     http://public.test:80@x/    http://@public.test/
http://public.test\\@x/      http://public.test\\.x/      http:\\\\public.test/       http:/\\public.test/
http://public.test:0/        http://public.test:65536/    http://public.test:99999999/ http://public.test:8x/
http://public.test:-1/       http://public.test:８０/     http:///public.test/        http:public.test
http://                      http://?                     http://.public.test/        http://public..test/
http://pub,lic.test/         http://pub℀lic.test/         ftp://public.test/          gopher://public.test/
javascript:alert(1)          dict://public.test:11211/    ldap://public.test/         jar:http://public.test!/a
ws://public.test/            s3://bucket/key              hf://datasets/x             blob:http://public.test/
http+unix://%2Fvar%2Frun/    http://inside.test/          http://mixed.test/          http://mapped.test/
""".replace("\\\\", "\\").split()
HOSTILE += ["http://public.test/\r\nX: y", "http://public.test\t/", "http://public.test/\0", "http://public.test/\x7f"]
HOSTILE += [
    "http://pub lic.test/",
    "http://public.test/\u2028",
    "http://public.test/\ud800",
    f"http://{'a' * 64}.test/",
]
HOSTILE += [f"http://{'a.' * 200}test/", f"http://localhost{chr(0xAD) * 300}.test/", "http://public.test\n"]


@pytest.mark.parametrize("url", HOSTILE, ids=ascii)
def test_a_hostile_url_is_refused_before_anything_is_sent(url, monkeypatch, names):
    names |= {"public.test": ["93.184.215.14"], "localhost": ["127.0.0.1", "::1"], "inside.test": ["10.1.2.3"]}
    names |= {"mixed.test": ["93.184.215.14", "192.168.0.1"], "mapped.test": ["::ffff:10.0.0.1"]}
    numeric = socket.getaddrinfo

    def lookup(host, port, **how):
        return numeric(host, port, **how) if host in names else [(socket.AF_INET, 1, 6, "", (host, port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it connected"))
    refused(url, Policy(total_seconds=5), FetchRefused)


def test_credentials_in_a_url_are_refused_and_not_repeated():
    error = refused(
        "http://somebody:secret@public.test/a", Policy(), FetchRefused, "user name or password .* is not sent"
    )
    assert "secret" not in str(error)
    assert "somebody" not in str(error)


def test_more_schemes_in_the_policy_do_not_teach_it_to_speak_them():
    refused("ftp://public.test/", replace(LOCAL, schemes=frozenset({"ftp", "https"})), FetchRefused, "allowed: https")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("2002:808:808::1", True),
        ("fe80::1%eth0", False),
        ("2002:a00:1::1", False),
        ("64:ff9b::a00:1", False),
    ],
)
def test_public_is_what_the_whole_internet_can_reach(address, public):
    assert is_public(address) is public


def test_the_connection_goes_to_the_address_that_was_checked(serve, names, monkeypatch):
    server = serve(reply())
    names["rebind.test"] = [["127.0.0.1"], ["127.0.0.2"]]  # the second answer would be the attack
    monkeypatch.setattr(http, "is_public", lambda address: address == "127.0.0.1")
    url = f"http://rebind.test:{server.port}/"
    assert image(url, replace(LOCAL, private_hosts=False)).data == PICTURE
    assert names["asked"] == ["rebind.test"]
    assert f"Host: rebind.test:{server.port}".encode() in server.requests[0]


def test_a_name_that_turns_private_between_hops_is_refused(serve, names, monkeypatch):
    server = serve(redirect("/again"))
    names["rebind.test"] = [["127.0.0.1"], ["127.0.0.2"]]
    monkeypatch.setattr(http, "is_public", lambda address: address == "127.0.0.1")
    url = f"http://rebind.test:{server.port}/"
    refused(url, replace(LOCAL, private_hosts=False), FetchRefused, "redirected to .*not on the public Internet")
    assert len(server.requests) == 1


# redirects

TARGETS = ["http://169.254.169.254/", "http://[::1]/", "//10.0.0.1/", "http://2130706433/", "file:///etc/passwd"]
TARGETS += ["ftp://public.test/", "javascript:alert(1)", "data:image/png;base64,AAAA", "http://u:p@127.0.0.1/"]
TARGETS += ["http:\\\\127.0.0.1", "/a\x0bb", "http://[", "http://127.0.0.1:0/"]


@pytest.mark.parametrize("target", TARGETS, ids=ascii)
def test_a_redirect_is_checked_like_a_first_address(serve, monkeypatch, target):
    monkeypatch.setattr(http, "is_public", lambda address: address == "127.0.0.1")
    with pytest.raises(FetchError):
        image(serve(redirect(target)).url, replace(LOCAL, private_hosts=False))


def test_a_circle_of_redirects_ends(serve):
    server = serve(redirect("/"))
    refused(server.url, replace(LOCAL, max_redirects=3), match="more than 3 redirects")
    assert len(server.requests) == 4


def test_a_redirect_to_nowhere_is_an_error(serve):
    refused(serve(reply(b"", "302 Found")).url, match="302 Found without saying where")


# how much, and for how long


def endless(head, piece, pause=0.0):
    def answer(sock):
        sock.sendall(head)
        while True:
            sock.sendall(piece)
            time.sleep(pause)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 100001\r\n\r\n",
        endless(OK + b"\r\n", b"x" * 65536),
        endless(CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n"),
        endless(CHUNKED + b"fffffffffff\r\n", b"x" * 65536),
    ],
    ids=["announced", "endless", "endless chunks", "one endless chunk"],
)
def test_a_body_over_the_cap_is_not_read(serve, answer):
    assert refused(serve(answer).url, error=MediaTooLarge, match="100 kB").hint is not None


def test_a_body_of_exactly_the_cap_is_read(serve):
    assert image(serve(reply()).url, replace(LOCAL, max_bytes=len(PICTURE))).data == PICTURE


@pytest.mark.parametrize(
    "answer",
    [
        endless(b"HTTP", b"/", 0.05),
        endless(OK, b"X: y\r\n", 0.05),
        endless(OK + b"Content-Length: 99999\r\n\r\n", b"x", 0.05),
        endless(CHUNKED, b"1\r\nx\r\n", 0.05),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
        lambda sock: time.sleep(1.5),
        endless(b"", redirect("/"), 1.0),
    ],
    ids=["status line", "headers", "body", "chunks", "interim answers", "silence", "redirects"],
)
def test_a_slow_drip_does_not_win_time(serve, answer):
    start = time.monotonic()
    refused(
        serve(answer).url, replace(HASTY, max_redirects=10_000), match=r"longer than 0\.4 s|more than 10000 redirects"
    )
    assert time.monotonic() - start < 1.2


def test_silence_ends_with_the_read_limit(serve):
    refused(serve(lambda sock: time.sleep(1)).url, replace(LOCAL, read_seconds=0.2), match="silent for too long")


def test_a_slow_name_server_does_not_win_time(monkeypatch):
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(5))
    refused("http://slow.test/", HASTY, match="longer than 0.4 s")
    done.set()


def test_a_silent_handshake_does_not_win_time(serve):
    refused(serve(lambda sock: time.sleep(2)).url.replace("http:", "https:"), HASTY, match=r"longer than 0\.4 s")


# what is wrong with an answer


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (reply(b"secret", "404 Not Found"), "404 Not Found"),
        (reply(b"secret", "500 Oh no, secret"), "500 Internal Server Error"),
        (reply(b"secret", "299 secret"), "answered 299"),
        (reply(b"", "204 No Content"), "204 No Content"),
        (reply(b"secret", "304 Not Modified"), "304"),
        (reply(b"<html>secret", Content_Type="text/html; charset=utf-8"), "a web page came back, not an image"),
        (reply(b"secret", Content_Encoding="gzip"), "compressed"),
        (reply(b"secret", Transfer_Encoding="gzip, chunked"), "transfer coding"),
        (reply(b"secret", Content_Length=100), "ended after 6 bytes of 100 bytes"),
        (reply(b"secret", Content_Length=-1), "not one number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nsecret", "not one number"),
        (CHUNKED + b"6\r\nsecret", "in the middle"),
        (CHUNKED + b"6\r\nsecretsecret", "in the middle"),
        (CHUNKED + b"-1\r\nsecret", "in the middle"),
        (CHUNKED + b"secret\r\n\r\n0\r\n\r\n", "in the middle"),
        (CHUNKED + b"0x6\r\nsecret\r\n", "in the middle"),
        (b"secret", "not an HTTP"),
        (b"", "ended without an answer"),
        (b"SSH-2.0-secret\r\n", "not an HTTP"),
        (OK + b"secret: " + b"x" * 70_000, "not sound HTTP"),
        (OK + b"secret: 1\r\n" * 200 + b"\r\n", "not sound HTTP"),
    ],
)
def test_a_bad_answer_says_what_is_wrong_and_repeats_nothing(serve, answer, says):
    error = refused(serve(answer).url, match=says)
    assert "secret" not in str(error)


class Pieces:
    """A sink that remembers."""

    def __init__(self, fails=None):
        self.lengths, self.pieces, self.fails = [], [], fails

    def begin(self, length):
        self.lengths.append(length)

    def write(self, piece):
        if self.fails:
            raise self.fails
        self.pieces.append(piece)


@pytest.mark.parametrize(
    ("answer", "length"),
    [(reply(bytes(90_000)), 90_000), (CHUNKED + b"15f90\r\n" + bytes(90_000) + b"\r\n0\r\n\r\n", None)],
    ids=["length", "chunks"],
)
def test_a_stream_comes_in_pieces_after_its_length(serve, answer, length):
    sink = Pieces()
    http.stream(serve(answer).url, LOCAL, sink)
    assert sink.lengths == [length]
    assert b"".join(sink.pieces) == bytes(90_000)
    assert len(sink.pieces) > 1


@pytest.mark.parametrize("answer", [reply(status="404 Not Found"), reply(bytes(200_000)), redirect("ftp://x")])
def test_a_sink_hears_nothing_of_an_answer_that_is_refused(serve, answer):
    sink = Pieces()
    with pytest.raises(FetchError if b"200 OK" not in answer else MediaTooLarge):
        http.stream(serve(answer).url, LOCAL, sink)
    assert sink.lengths == []


def test_the_body_behind_a_redirect_begins_once(serve):
    sink = Pieces()
    http.stream(serve({"/": redirect("/there"), "/there": reply()}).url + "/", LOCAL, sink)
    assert sink.lengths == [len(PICTURE)]


def test_what_a_sink_raises_is_not_told_as_a_failure_of_the_network(serve):
    full = OSError(28, "No space left on device")
    with pytest.raises(OSError) as caught:
        http.stream(serve(reply()).url, LOCAL, Pieces(fails=full))
    assert caught.value is full


def test_an_empty_body_is_an_error(serve):
    with pytest.raises(OSError, match="is empty"):
        image(serve(reply(b"")).url)


def test_a_port_where_nobody_listens_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    refused(f"http://127.0.0.1:{port}/", match="refused")


def test_an_unknown_name_is_an_error(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    refused("http://nowhere.test/", match="cannot be resolved")


@pytest.mark.parametrize(
    "answer", [reply(), reply(b"", "404 Not Found"), reply(Content_Length=5000), redirect("ftp://x")]
)
def test_the_socket_is_closed_whatever_happens(serve, monkeypatch, answer):
    opened, connected = [], http._connected
    monkeypatch.setattr(http, "_connected", lambda *args: opened.append(connected(*args)) or opened[-1])
    with contextlib.suppress(FetchError):
        image(serve(answer).url)
    assert [sock.fileno() for sock in opened] == [-1]


# TLS


@pytest.fixture
def secure(tmp_path):
    file = tmp_path / "certificate.pem"
    file.write_text(CERTIFICATE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def trusted(secure, tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    http._trust.cache_clear()
    yield secure
    http._trust.cache_clear()


def test_a_certificate_that_nobody_vouches_for_is_refused(serve, secure):
    server = serve(reply(), secure)
    refused(f"https://localhost:{server.port}/", match="certificate is not trusted: self")
    assert not server.requests


def test_a_trusted_certificate_is_accepted(serve, trusted):
    assert image(f"https://localhost:{serve(reply(), trusted).port}/").data == PICTURE


def test_a_certificate_of_another_name_is_refused(serve, trusted, names):
    names["other.test"] = ["127.0.0.1"]
    refused(f"https://other.test:{serve(reply(), trusted).port}/", match="certificate is not trusted")


def test_a_redirect_from_https_to_http_is_refused(serve, trusted):
    plain = serve(reply())
    server = serve(redirect(plain.url), trusted)
    refused(f"https://localhost:{server.port}/", error=FetchRefused, match="from https to http")
    assert not plain.requests


def test_https_on_a_plain_port_is_an_error(serve):
    refused(
        serve(b"HTTP/1.1 400 Bad Request\r\n\r\n").url.replace("http:", "https:"),
        match="secure connection failed",
    )
