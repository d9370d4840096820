"""The files that sounds and videos come in: open one safely, and tell whether all of it is there.

Knows: the formats PyAV may open, what a file says of its own length, how a decoder's complaint becomes a MediaError.
Does not know: samples, frames, models, where bytes come from (fetch.py).

PyAV reads through a Python file object, from a list of formats, without any protocol: a playlist or a script under
another name opens nothing. It keeps ffmpeg quiet unless the program itself sets a level; nothing global is set here.
No clock is needed against broken files: every loop here and in these demuxers ends with the bytes of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, BinaryIO, NoReturn

from ..errors import ManysenseError, MediaError
from ..extras import need
from .types import Blob

CONTAINERS = (
    "mov,mp4,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,gif"  # with pictures
    ",aac,ac3,eac3,amr,aiff,au,caf,flac,mp3,wav,w64,wv"  # sound alone
)
"""Formats that PyAV may open: containers that hold their own content. No playlists, scripts, devices or streams."""

READABLE = "Read here: mp4, mov, m4a, webm, mkv, avi, mpeg, ts, flv, wmv, ogg, gif, aac. Never playlists or scripts."
MOV_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"pnot")
HEADER_SLACK = 64  # bytes: some writers count their own header into the size of the sound
MAX_PIECES = 1_000_000  # boxes or chunks looked at


@contextmanager
def reading(blob: Blob, what: str) -> Iterator[BinaryIO]:
    """The open file of a Blob; whatever its decoders raise becomes a MediaError that names the source."""
    try:
        with blob.open() as file:
            if blob.size == 0:
                refuse(blob.source, f"cannot open {what} {blob.source!r}: the file is empty")
            check_whole(blob, what, file)
            yield file
    except ManysenseError:
        raise
    except (OSError, ValueError, RuntimeError, ArithmeticError) as error:
        refuse(blob.source, f"cannot open {what} {blob.source!r}: {words(error)}", cause=error)


@contextmanager
def open_container(blob: Blob, file: BinaryIO, what: str) -> Iterator[Any]:
    """A PyAV container over the open file of a Blob, of the formats in CONTAINERS, that can open nothing else."""
    av = need("av", to=f"read {what} in a container such as mp4 or webm")
    limits = {"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}
    lenient = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}  # gone in PyAV 19
    try:
        with av.open(file, container_options=limits, **lenient) as container:
            yield container
    except av.error.FFmpegError as error:
        refuse(blob.source, f"cannot read {what} {blob.source!r}: {words(error)}{start(blob)}", READABLE, cause=error)


def decoded(container: Any, stream: Any, blob: Blob, what: str) -> Iterator[Any]:
    """Frames of one track in the order of presentation, from its first key frame on; MediaError where it breaks."""
    av = need("av", to=f"read {what}")
    seconds = None
    try:
        for packet in packets(container, stream):
            for frame in packet.decode():
                seconds = frame.time
                yield frame
        yield from stream.decode(None)
    except av.error.FFmpegError as error:
        where = "at its start" if seconds is None else f"after {seconds:.3g} s"
        refuse(blob.source, f"cannot read {what} {blob.source!r}: it breaks {where} ({words(error)})", cause=error)


def packets(container: Any, stream: Any) -> Iterator[Any]:
    """Packets of one track from its first key frame on, for nothing before it can be decoded; none of them empty."""
    started = False
    try:
        for packet in container.demux(stream):
            started = started or packet.is_keyframe
            if started and packet.size:
                yield packet
    except IndexError:  # PyAV, past the last packet of a file in which another track began late
        return


def track(streams: Any, blob: Blob, what: str) -> Any:
    """The first of these tracks, or MediaError where ffmpeg has no decoder for it."""
    stream = streams[0]
    if stream.codec_context is None:
        refuse(blob.source, f"cannot open {what} {blob.source!r}: there is no decoder for its codec")
    return stream


def refuse(source: str, reason: str, hint: str | None = None, cause: BaseException | None = None) -> NoReturn:
    """Raise MediaError about this source."""
    raise MediaError(reason, source=source, hint=hint) from cause


def start(blob: Blob) -> str:
    """How a file begins, where that is text: it tells a web page or a playlist from a broken medium."""
    head = blob.peek(32)
    text = head.decode("latin-1").split("\n")[0].strip()
    return f"; it holds text that begins {text!r}" if text and text.isascii() and text.isprintable() else ""


def words(error: BaseException) -> str:
    """What a decoder says, without the names of Python objects."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return str(text).rstrip(".") or type(error).__name__


def check_whole(blob: Blob, what: str, file: BinaryIO) -> None:
    """Refuse a file that is shorter than it says; leaves the file at position 0."""
    promised = _promised_size(file, blob.size)
    file.seek(0)
    if promised is not None and promised - blob.size > HEADER_SLACK:
        ends = f"file ends after {_amount(blob.size)} of {_amount(promised)}"
        refuse(blob.source, f"cannot open {what} {blob.source!r}: {ends}", "Fetch or copy it again.")


def _amount(count: int) -> str:
    return f"{count} bytes" if count < 10_000 else f"{count / 1e3:.0f} kB" if count < 1e6 else f"{count / 1e6:.1f} MB"


def _promised_size(file: BinaryIO, size: int) -> int | None:
    """Where the content ends by the file's own account; None when it gives none, as a live recording does not."""
    head = _at(file, 0, 12)
    if head[:4] in (b"RIFF", b"FORM"):
        body = {b"AVI ": b"LIST"}.get(head[8:12], b"data" if head[:4] == b"RIFF" else b"SSND")
        return max(
            (end for name, end in islice(_chunks(file, head[:4] == b"FORM"), MAX_PIECES) if name == body), default=None
        )
    if head[4:8] in MOV_BOXES:
        return max((end for name, end in islice(_boxes(file), MAX_PIECES) if name == b"mdat"), default=None)
    if head[:4] == b".snd" and head[8:] != b"\xff\xff\xff\xff":
        return int.from_bytes(head[4:8], "big") + int.from_bytes(head[8:], "big")
    if head[:4] == b"\x1aE\xdf\xa3":
        return _segment_end(file)
    if head[:4] == b"OggS":
        return _last_page_end(file, size)
    return None


def _at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _chunks(file: BinaryIO, big_endian: bool) -> Iterator[tuple[bytes, int]]:
    """(name, end) of the chunks of a RIFF or FORM file whose length is known."""
    at = 12
    while len(head := _at(file, at, 8)) == 8:
        length = int.from_bytes(head[4:], "big" if big_endian else "little")
        if length >= 0x7FFF0000:  # written to a pipe: never filled in
            return
        yield head[:4], at + 8 + length
        at += 8 + length + length % 2


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """(name, end) of the outermost boxes of an mp4 or mov file."""
    at = 0
    while len(head := _at(file, at, 16)) >= 8:
        length = int.from_bytes(head[:4], "big")
        if length == 1:  # the 64-bit length follows
            length = int.from_bytes(head[8:], "big")
        if length < 8:  # 0: up to the end of the file, wherever that is
            return
        at += length
        yield head[4:8], at


def _segment_end(file: BinaryIO) -> int | None:
    """Where the segment of a Matroska or WebM file ends."""
    length, at = _ebml_length(file, 4)
    if length is None or _at(file, at + length, 4) != b"\x18\x53\x80\x67":
        return None
    segment, at = _ebml_length(file, at + length + 4)
    return None if segment is None else at + segment


def _ebml_length(file: BinaryIO, at: int) -> tuple[int | None, int]:
    """A length of 1 to 8 bytes and the offset after it; None for "unknown", which a live recording writes."""
    head = _at(file, at, 8)
    if not head or not head[0]:
        return None, at
    width = 9 - head[0].bit_length()
    bits = (1 << 7 * width) - 1
    length = int.from_bytes(head[:width], "big") & bits
    return (None if length == bits else length), at + width


def _last_page_end(file: BinaryIO, size: int) -> int | None:
    """Where the last page of an Ogg file ends."""
    longest = 27 + 255 + 255 * 255
    start = max(0, size - longest)
    tail = _at(file, start, longest)
    page = tail[tail.rfind(b"OggS") :]
    if len(page) < 27 or len(page) < 27 + page[26]:
        return None
    return size - len(page) + 27 + page[26] + sum(page[27 : 27 + page[26]])
