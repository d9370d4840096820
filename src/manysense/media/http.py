"""Get the bytes of one http(s) URL, under a policy: into memory, or piece by piece into a sink.

Knows: URLs, names and addresses, HTTP/1.1, redirects, clocks. Does not know: media. It speaks HTTP over a socket of its
own, because the connection must go to the very address that was checked: a name is resolved once a hop, every address
it has is checked, and no library asks the name server again. Proxy variables of the environment are ignored for the
same reason. No cookies, no credentials, no Referer, no retries, no compression. Only standard library.
"""

from __future__ import annotations

import http
import http.client
import io
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from functools import lru_cache
from typing import Any, BinaryIO, Protocol
from urllib.parse import urljoin, urlsplit

from .. import __version__
from ..errors import FetchError, FetchRefused, MediaError, MediaTooLarge
from .address import DOWNLOAD, Target, amount, is_public, printable_url, target_of
from .policy import Policy

_REDIRECTS = (301, 302, 303, 307, 308)
_LINE = 65536
_PIECE = 65536
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")
_SLOW = "Raise connect_seconds, read_seconds or total_seconds of the policy, or download it first and pass the path."

Address = tuple[socket.AddressFamily, tuple[Any, ...]]


class Sink(Protocol):
    """Where a body goes, piece by piece. What its methods raise goes to the caller as it is."""

    def begin(self, length: int | None) -> None:
        """The body comes now, after all redirects and checks. length: its bytes, None where the server does not say."""

    def write(self, piece: bytes, /) -> None: ...


def get(url: str, policy: Policy) -> tuple[bytes, str | None]:
    """The body of an http(s) URL and its media type (lower case, without parameters; None where none was sent).

    The limits and errors are those of `stream`.
    """
    sink = _Memory()
    kind = stream(url, policy, sink)
    return sink.body.getvalue(), kind


def stream(url: str, policy: Policy, sink: Sink) -> str | None:
    """The body of an http(s) URL into a sink; its media type. After an error the sink holds a part of it, or nothing.

    At most `policy.max_bytes` are read and `policy.total_seconds` are spent: over all redirects, name look-ups,
    handshakes, headers and the body, however slowly they come. A URL with a user name or password is refused.
    Raises FetchRefused (the policy), MediaTooLarge (its cap on bytes), FetchError (all else).
    """
    clock = _Clock(policy.total_seconds)
    trail = [url]
    try:
        return _follow(trail, policy, clock, _Guarded(sink))
    except _SinkFailed as failed:
        raise failed.reason from None
    except (OSError, http.client.HTTPException) as error:
        told = error if isinstance(error, MediaError) else _told(error, policy, clock)
        shown = printable_url(url)
        through = f" (redirected to '{printable_url(trail[-1])}')" if len(trail) > 1 else ""
        reason = f"cannot fetch '{shown}'{through}: {told.reason}"
        cause = None if told is error else error
        raise type(told)(reason, source=shown, hint=told.hint) from cause


class _Memory:
    """A sink that keeps the body."""

    def __init__(self) -> None:
        self.body = io.BytesIO()

    def begin(self, length: int | None) -> None:
        pass

    def write(self, piece: bytes, /) -> None:
        self.body.write(piece)


class _SinkFailed(Exception):
    """The sink raised `reason`: a full disk must not be told as a broken connection."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason


class _Guarded:
    """A sink whose errors are told apart from the network's."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def begin(self, length: int | None) -> None:
        try:
            self._sink.begin(length)
        except Exception as error:
            raise _SinkFailed(error) from error

    def write(self, piece: bytes, /) -> None:
        try:
            self._sink.write(piece)
        except Exception as error:
            raise _SinkFailed(error) from error


class _Clock:
    """The wall deadline of one fetch."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, cap: float) -> float:
        """Seconds the next operation may take, at most `cap`. Raises TimeoutError when none are left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(cap, left)

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._end


class _Wire(io.RawIOBase):
    """A socket to read from, under the deadline: a peer that sends one byte now and then does not win time."""

    def __init__(self, sock: socket.socket, policy: Policy, clock: _Clock) -> None:
        self._sock, self._policy, self._clock = sock, policy, clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._clock.left(self._policy.read_seconds))
        return self._sock.recv_into(buffer)


def _follow(trail: list[str], policy: Policy, clock: _Clock, sink: Sink) -> str | None:
    """Hop from URL to URL until a body comes. trail: the first URL; every further one is appended, for messages."""
    for _ in range(policy.max_redirects + 1):
        target = target_of(trail[-1], policy)
        with _answer(target, policy, clock) as (status, headers, stream):
            if status not in _REDIRECTS:
                _body(status, headers, stream, policy, sink)
                return _media_type(headers)
            location = headers.get("Location")
        if not location:
            raise FetchError(f"the server answered {_status(status)} without saying where to go.", hint=DOWNLOAD)
        location = re.sub(r"[\x80-\xff]", lambda byte: f"%{ord(byte.group()):02X}", str(location).strip(" \t"))
        try:
            trail.append(urljoin(trail[-1], location))
        except ValueError as error:
            raise FetchError("the server redirects to something that is not a URL.", hint=DOWNLOAD) from error
        if target.scheme == "https" and urlsplit(trail[-1]).scheme.lower() == "http":
            raise FetchRefused("the server redirects from https to http, which anybody on the way could change.")
    raise FetchError(
        f"more than {policy.max_redirects} redirects, perhaps in a circle.",
        hint="Pass the address it should end at, or raise max_redirects of the policy.",
    )


def _resolve(target: Target, policy: Policy, clock: _Clock) -> list[Address]:
    """Every address of the host, all of them checked. The look-up runs in a thread, since it has no time-out."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="manysense-resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=clock.left(policy.connect_seconds))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise FetchError(f"the name '{target.host}' cannot be resolved.", hint="Is it spelt right?") from answer
    found = [(family, place) for family, *_, place in answer if family in (socket.AF_INET, socket.AF_INET6)]
    if not found:
        raise FetchError(f"the name '{target.host}' has no address.", hint="Is it spelt right?")
    if not policy.private_hosts:
        for _, place in found:
            if not is_public(str(place[0])):
                raise FetchRefused(
                    f"the host '{target.host}' is not on the public Internet.",
                    hint="Use private_hosts=True in the policy if you trust whoever writes the URLs.",
                )
    return found


def _connected(target: Target, policy: Policy, clock: _Clock) -> socket.socket:
    """A connection to the first checked address that answers; the caller closes it."""
    failure: OSError = TimeoutError()
    for family, place in _resolve(target, policy, clock):
        try:
            return _dialled(family, place, clock.left(policy.connect_seconds))
        except OSError as error:
            failure = error
    raise failure


def _dialled(family: socket.AddressFamily, place: tuple[Any, ...], seconds: float) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect(place)
    except BaseException:
        sock.close()
        raise
    return sock


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Certificates and names are verified, against the system's authorities (or those of SSL_CERT_FILE)."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


@contextmanager
def _answer(target: Target, policy: Policy, clock: _Clock) -> Iterator[tuple[int, Message, BinaryIO]]:
    """Ask for a target: (status, headers, the stream at the start of the body). The socket is closed at the end."""
    sock = _connected(target, policy, clock)
    try:
        if target.scheme == "https":
            sock.settimeout(clock.left(policy.connect_seconds))
            sock = _trust().wrap_socket(sock, server_hostname=target.host)  # closes the plain socket where it fails
        sock.settimeout(clock.left(policy.read_seconds))
        sock.sendall(_request(target))
        stream = io.BufferedReader(_Wire(sock, policy, clock), _PIECE)
        status = 100
        while status < 200:  # interim answers
            line = stream.readline(_LINE)
            if not line:
                raise FetchError("the connection ended without an answer.", hint="Try again.")
            match = _STATUS.fullmatch(line)
            if match is None:
                raise FetchError("what answers is not an HTTP/1.1 server.", hint="Check the port and the scheme.")
            status, headers = int(match[1]), http.client.parse_headers(stream)
        yield status, headers, stream
    finally:
        sock.close()


def _request(target: Target) -> bytes:
    lines = (
        f"GET {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: manysense/{__version__}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def _body(status: int, headers: Message, stream: BinaryIO, policy: Policy, sink: Sink) -> None:
    """Read the body of a final answer, never more than the cap."""
    if status != 200:
        raise FetchError(f"the server answered {_status(status)}.", hint="Does the address open in a browser?")
    if headers.get("Content-Encoding", "").strip().lower() not in ("", "identity"):
        raise FetchError("the server sent it compressed, though asked not to.", hint=DOWNLOAD)
    coding = headers.get("Transfer-Encoding", "").strip().lower()
    if coding not in ("", "chunked"):
        raise FetchError("the server sent it in a transfer coding that is not known.", hint=DOWNLOAD)
    length = None if coding else _length(headers)
    if length is not None and length > policy.max_bytes:
        raise _too_large(policy.max_bytes, f"it is {amount(length)}")
    sink.begin(length)
    left = policy.max_bytes

    def take(count: int | None) -> int:
        nonlocal left
        got = _copy(stream, sink, count, left, policy.max_bytes)
        left -= got
        return got

    if coding:
        _chunks(stream, take)
        return
    got = take(length)
    if length is not None and got < length:
        raise FetchError(f"the connection ended after {amount(got)} of {amount(length)}.", hint="Try again.")


def _length(headers: Message) -> int | None:
    """The length the server announced, None for none."""
    values = {str(value).strip() for value in headers.get_all("Content-Length", [])}
    if not values:
        return None
    value = values.pop()
    if values or not re.fullmatch(r"[0-9]{1,18}", value):
        raise FetchError("the server sent a length that is not one number.", hint=DOWNLOAD)
    return int(value)


def _chunks(stream: BinaryIO, take: Callable[[int | None], int]) -> None:
    """Read a chunked body; trailers are left unread."""
    while True:
        match = _CHUNK.fullmatch(stream.readline(_LINE))
        size = int(match[1], 16) if match else -1
        if size == 0:
            return
        if size < 0 or take(size) < size or stream.readline(3) not in (b"\r\n", b"\n"):
            raise FetchError("the connection ended, or went wrong, in the middle.", hint="Try again.")


def _copy(stream: BinaryIO, sink: Sink, count: int | None, left: int, cap: int) -> int:
    """Read `count` bytes (None: until the end) into the sink; at most `left` of the cap. Returns how many came."""
    got = 0
    while count is None or got < count:
        piece = stream.read(_PIECE if count is None else min(_PIECE, count - got))
        if not piece:
            break
        got += len(piece)
        if got > left:
            raise _too_large(cap, "it is longer")
        sink.write(piece)
    return got


def _too_large(cap: int, what: str) -> MediaTooLarge:
    return MediaTooLarge(f"{what}; the cap is {amount(cap)}.", hint="Raise max_bytes of the policy.")


def _media_type(headers: Message) -> str | None:
    return str(headers.get("Content-Type", "")).partition(";")[0].strip().lower() or None


def _status(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _told(error: Exception, policy: Policy, clock: _Clock) -> FetchError:
    """What the network said, in words. Nothing that the server sent is repeated."""
    if isinstance(error, TimeoutError):
        if clock.over:
            return FetchError(f"it took longer than {policy.total_seconds:g} s in all.", hint=_SLOW)
        limits = f"to connect {policy.connect_seconds:g} s, to read {policy.read_seconds:g} s"
        return FetchError(f"the server was silent for too long (limits: {limits}).", hint=_SLOW)
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or "not valid for this host"
        return FetchError(
            f"the server's certificate is not trusted: {why}.", hint="SSL_CERT_FILE names other authorities."
        )
    if isinstance(error, ssl.SSLError):
        return FetchError("the secure connection failed.", hint="Is this port an https one?")
    if isinstance(error, http.client.HTTPException):
        return FetchError("the server's answer is not sound HTTP.", hint=DOWNLOAD)
    return FetchError(
        f"the connection failed: {error.args[-1] if error.args else 'no reason given'}.", hint="Try again."
    )
