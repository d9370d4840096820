"""Tell a medium from its first bytes.

Knows: magic numbers. Does not know: files, decoders, whether the rest of the bytes is sound. A container that may hold
sound alone (Matroska, ASF, MP4 with a general brand) counts as video; whoever opens it finds out.
"""

from __future__ import annotations

import re
import struct

from manysense.inputs.types import Modality

HEAD = 4096
"""How many bytes `sniff` looks at. 64 are enough for most formats; MPEG-TS needs 200, Ogg video may need more."""

_STARTS: tuple[tuple[bytes, Modality], ...] = (
    (b"\xff\xd8\xff", "image"),  # JPEG
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"GIF87a", "image"),
    (b"GIF89a", "image"),
    (b"II*\0", "image"),  # TIFF, BigTIFF
    (b"MM\0*", "image"),
    (b"II+\0", "image"),
    (b"MM\0+", "image"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "image"),  # JPEG 2000: file, bare codestream
    (b"\xff\x4f\xff\x51", "image"),
    (b"fLaC", "audio"),
    (b"ID3", "audio"),
    (b".snd", "audio"),  # AU
    (b"caff", "audio"),
    (b"\x1a\x45\xdf\xa3", "video"),  # EBML: WebM, Matroska
    (b"FLV\x01", "video"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c", "video"),  # ASF: WMV
    (b"\0\0\x01\xba", "video"),  # MPEG program stream, bare MPEG video
    (b"\0\0\x01\xb3", "video"),
)
_FORMS: dict[tuple[bytes, bytes], Modality] = {  # (first four bytes, bytes 8 to 12)
    (b"RIFF", b"WEBP"): "image",
    (b"RIFF", b"WAVE"): "audio",
    (b"RIFX", b"WAVE"): "audio",
    (b"RF64", b"WAVE"): "audio",
    (b"RIFF", b"AVI "): "video",
    (b"FORM", b"AIFF"): "audio",
    (b"FORM", b"AIFC"): "audio",
}
_PICTURE_BRANDS = {b"avif", b"avis", b"mif1", b"msf1", b"miaf"} | {
    b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs",
}  # fmt: skip
_SOUND_BRANDS = {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "}
_VIDEO_BRANDS = re.compile(
    rb"iso[m1-9]|mp4[0-9]|mp71|avc1|dash|cmfc|msdh|MSNV|mmp4|qt  |M4V.|F4V |3g[p2].|XAVC", re.DOTALL
)
_NETPBM = re.compile(rb"P[1-6]\s+(?:#[^\n]*\n\s*)*\d+\s")
_BITMAP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # sizes of a BMP's second header, one for each version
_OGG_VIDEO = (b"\x80theora", b"\x01video", b"BBCD\0", b"OVP80")


def sniff(head: bytes) -> Modality | None:
    """The modality that the first bytes of a file announce, None where they announce none of ours.

    head: the first `HEAD` bytes or fewer; too few give None, never a wrong answer.
    """
    head = bytes(head[:HEAD])
    for start, modality in _STARTS:
        if head.startswith(start):
            return modality
    form = _FORMS.get((head[:4], head[8:12]))
    if form is not None:
        return form
    if head[4:8] == b"ftyp":
        return _brand(head)
    if head.startswith(b"OggS"):
        return "video" if any(name in head for name in _OGG_VIDEO) else "audio"
    if _is_icon(head) or _is_bitmap(head) or _NETPBM.match(head):
        return "image"
    if _is_audio_frame(head):
        return "audio"
    return "video" if _is_old_movie(head) or _is_transport_stream(head) else None


def _brand(head: bytes) -> Modality | None:
    """What an ISO base media file is, from its brands: the major one first, then those it is compatible with."""
    size = struct.unpack(">I", head[:4])[0]
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(size, len(head)) - 3, 4))]
    if brands[0] in _SOUND_BRANDS:
        return "audio"
    if brands[0] in _PICTURE_BRANDS:
        return "image"
    if _VIDEO_BRANDS.fullmatch(brands[0]):
        return "video"
    if _PICTURE_BRANDS.intersection(brands):
        return "image"
    return "video" if any(_VIDEO_BRANDS.fullmatch(brand) for brand in brands) else None


def _is_icon(head: bytes) -> bool:
    """ICO or CUR: at least one picture, and the reserved byte of its entry is 0."""
    return head[:4] in (b"\0\0\x01\0", b"\0\0\x02\0") and len(head) >= 10 and head[4] > 0 == head[5] and head[9] == 0


def _is_bitmap(head: bytes) -> bool:
    return head[:2] == b"BM" and len(head) >= 18 and struct.unpack("<I", head[14:18])[0] in _BITMAP_HEADERS


def _is_audio_frame(head: bytes) -> bool:
    """A frame of MP3, MP2 or AAC (ADTS). Layer I is left out: its sync word is also the mark of UTF-16 text."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    if head[1] & 0xF6 == 0xF0:  # ADTS
        return (head[2] >> 2) & 0xF < 13
    version, layer = (head[1] >> 3) & 3, (head[1] >> 1) & 3
    bitrate, rate = head[2] >> 4, (head[2] >> 2) & 3
    return version != 1 and layer in (1, 2) and 0 < bitrate < 15 and rate != 3


def _is_old_movie(head: bytes) -> bool:
    """QuickTime from before `ftyp`: it begins with another box."""
    return head[4:8] in (b"moov", b"mdat") or (head[:1] == b"\0" and head[4:8] in (b"wide", b"free", b"skip", b"pnot"))


def _is_transport_stream(head: bytes) -> bool:
    """MPEG-TS: a sync byte every 188 bytes, or every 192 with a time code before it (M2TS)."""
    return (head[:1] == b"G" == head[188:189]) or (head[4:5] == b"G" == head[196:197])
