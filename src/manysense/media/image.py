"""Open a picture: encoded bytes, a PIL image or an array become RGB pixels; measure it from its header.

Knows: formats, EXIF rotation, transparency, bit depths, how files break. Does not know: where bytes come from, models,
how large a model wants its pictures. Needs no torch: a tensor is recognised only where torch is loaded already.

Formats are tried from a list of our own through Pillow's registry, not through `Image.open`: nothing that starts
another program is on it, and the cap on pixels is the policy's rather than a setting of the whole process.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from ..errors import MediaError, MediaNotFound, MediaTooLarge
from .pixels import (
    RESAVE,
    Refusal,
    array_size,
    as_array,
    check_floats,
    check_kind,
    check_size,
    from_array,
    is_tensor,
    to_bytes,
)
from .policy import Policy
from .types import Blob, PictureSize

Array = npt.NDArray[Any]

FORMATS = (
    *("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "HEIF", "JPEG2000", "PPM", "ICO"),
    "TGA",  # last: it has no signature
)
ORIENTATION = 0x0112  # EXIF tag
SIGNATURES = {
    b"%PDF": "PDF",
    b"8BPS": "PSD (Photoshop)",
    b"%!PS": "EPS or PostScript",
    b"\xc5\xd0\xd3\xc6": "EPS",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
READS_TO_THE_END = {"jpeg2k", "ppm", "ppm_plain"}  # decoders that find the end of a whole file by reading past it
LOCKS = tuple(threading.Lock() for _ in range(64))  # Pillow's lazy load of one object is not thread-safe
RENDER = "Render it to PNG or JPEG first, and pass that."


def picture_size(value: Any, policy: Policy) -> PictureSize:
    """Width and height after EXIF rotation. value: as for open_picture; of a Blob only the header is read.

    Raises MediaError as open_picture does, as far as a header shows it.
    """
    with _named(value):
        if isinstance(value, Blob):
            with value.open() as file:
                return _header_size(_header(_Reader(file), policy), policy)
        if isinstance(value, Image.Image):
            with _borrowed(value):
                return _header_size(value, policy)
        return PictureSize(*array_size(value, policy))


def open_picture(value: Any, policy: Policy) -> Image.Image:
    """A private RGB picture, upright; the caller's object stays as it was.

    value: Blob (of many frames the first), PIL image (its current frame), numpy array or torch tensor: (H, W),
    (H, W, 1|3|4) or (1|3|4, H, W); bool, integers 0..255, uint16 (its high byte is kept), or floats 0..1.
    Transparency is composited over white, as the references of CLIP and Qwen-VL do.
    Raises MediaError, MediaTooLarge (before decoding), AmbiguousInput (a shape that reads two ways), UnsupportedInput.
    """
    with _named(value):
        if isinstance(value, Blob):
            with value.open() as file:
                return _upright(*_decoded(_Reader(file), policy))
        if isinstance(value, Image.Image):
            check_size(value.size, policy)
            with _borrowed(value):
                lent, turn = _detached(value)
            picture = _upright(lent.copy() if lent.mode in ("P", "PA") else lent, turn)
            return picture.copy() if picture.im is lent.im else picture
        array_size(value, policy)
        return _upright(from_array(as_array(value)), 1)


def picture_key(value: Any) -> str:
    """Equal for equal content of one kind (which then opens to equal pictures). value: as for open_picture."""
    with _named(value):
        if isinstance(value, Blob):
            return value.key()
        if isinstance(value, Image.Image):
            with _borrowed(value):
                lent, turn = _detached(value)
            palette = lent.getpalette("RGBA") if lent.mode in ("P", "PA") else None
            format = lent.format if lent.mode == "I" else None  # it decides how "I" is scaled
            facts = repr((lent.mode, lent.size, turn, palette, lent.info.get("transparency"), format))
            return _digest(facts, lent.tobytes())
        check_kind(value)
        array = as_array(value)
        return _digest(repr((array.dtype.str, array.shape)), np.ascontiguousarray(array))


# Errors: raised below without knowing of which picture, named here.


def _source(value: Any) -> str:
    if isinstance(value, Blob):
        return value.source
    if isinstance(value, Image.Image):
        return f"PIL image {value.width}x{value.height} {value.mode}"
    if is_tensor(value) or isinstance(value, np.ndarray):
        return f"{str(value.dtype).removeprefix('torch.')} array of shape {tuple(value.shape)}"
    return type(value).__name__


@contextmanager
def _named(value: Any) -> Iterator[None]:
    """Turn whatever goes wrong inside into an error of this package that names the value."""
    try:
        yield
        return
    except Refusal as error:
        kind, reason, hint, cause = error.kind, error.reason, error.hint, error.__cause__
    except FileNotFoundError as error:
        kind, reason, hint, cause = MediaNotFound, "there is no such file", "Check the path.", error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        kind, reason, hint, cause = MediaTooLarge, str(error).rstrip("."), "Make it smaller first.", error
    except Exception as error:  # decoders raise anything on broken input: OSError, ValueError, struct.error, ...
        text = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        kind, reason, hint, cause = MediaError, text.rstrip("."), RESAVE, error
    source = _source(value)
    what = f"image {source!r}" if isinstance(value, Blob) else source
    raise kind(f"cannot open {what}: {reason}", source=source, hint=hint) from cause


def _ended(size: int, expected: int | None = None) -> Refusal:
    return Refusal(f"file ends after {_bytes(size)}" + (f" of {_bytes(expected)}" if expected else ""))


def _bytes(count: int) -> str:
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1e3:.0f} kB" if count < 999_500 else f"{count / 1e6:.1f} MB"


# Files.


class _Reader:
    """A file that can be told to refuse reads past its end.

    Pillow fills the rest of a file that was cut short with gray when anyone in the process has set
    ImageFile.LOAD_TRUNCATED_IMAGES; a decoder that reads from this never comes so far.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.strict = False

    def read(self, count: int = -1, /) -> bytes:
        got = self.file.read(count)
        if self.strict and not got and count > 0:
            raise _ended(self.file.seek(0, 2))
        return got

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)  # seek, tell, and fileno or getvalue, which libtiff asks for


def _header(file: _Reader, policy: Policy) -> ImageFile.ImageFile:
    """Open the file without decoding pixels."""
    head = file.read(512)
    found: Exception | str | None = None
    for name in FORMATS:
        if name not in Image.OPEN:
            Image.preinit()
            if name not in Image.OPEN:
                Image.init()
            if name not in Image.OPEN:  # HEIF without its plugin
                continue
        factory, accept = Image.OPEN[name]
        accepted: bool | str = False
        try:
            accepted = accept(head[:16]) if accept else True
            if isinstance(accepted, str):  # Pillow knows the format and was built without it
                found = found or accepted
            elif accepted:
                if name == "ICO":  # the one format that Pillow decodes as it opens it
                    _check_icons(file, policy)
                    file.strict = True
                file.seek(0)
                return factory(file, "")  # type: ignore[arg-type]
        except (SyntaxError, IndexError, TypeError, KeyError, EOFError, struct.error) as error:
            if accept and accepted:
                found = found or error
    if known := _known(head):
        raise Refusal(*known)
    size = file.seek(0, 2)
    if found and size < 512:
        raise _ended(size)
    if found:
        raise Refusal(f"its header is broken ({found})")
    raise Refusal("it is in no picture format that is read here", f"Formats: {', '.join(FORMATS)}. {RENDER}")


def _known(head: bytes) -> tuple[str, str] | None:
    """What a file is that is not read as a picture, and what to do; None when it is unknown."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    brands = head[8:64] if head[4:8] == b"ftyp" else b""
    if not head:
        return "the file is empty", "Check that it was written or downloaded completely."
    if b"<svg" in text:
        return "it is an SVG drawing", RENDER
    if text.startswith((b"<!doctype html", b"<html")):
        return "it is a web page (HTML)", "Pass the address or file of the picture itself."
    if text.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the picture", "Fetch the content with: git lfs pull"
    if any(brand in brands for brand in (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1")):
        return "it is HEIC", "Install pillow-heif and call pillow_heif.register_heif_opener(), or save it as JPEG."
    if brands:
        return "it is a video or sound (MP4 family)", "Pass it as Video(...) or Audio(...)."
    for start, name in SIGNATURES.items():
        if head.startswith(start):
            return f"it is {name}, which is not read here", RENDER
    letters = head.decode("utf-8", "replace").rstrip("\ufffd")  # the last one may be cut
    if letters and "\ufffd" not in letters and all(letter >= " " or letter in "\t\n\r\f" for letter in letters):
        return "it is text, not a picture", "To embed the text itself, pass Text(...)."
    return None


def _decoded(file: _Reader, policy: Policy) -> tuple[Image.Image, int]:
    image = _header(file, policy)
    check_size(image.size, policy)
    _check_whole(image, file)
    file.strict = bool(image.tile) and image.tile[0][0] not in READS_TO_THE_END
    return _detached(image)


def _detached(image: Image.Image) -> tuple[Image.Image, int]:
    """Pixels and orientation as a plain image that shares the pixels and nothing else: no file, no lazy state."""
    image.load()
    turn = _orientation(image)
    plain = image._new(image.im)  # what every method of Pillow ends with; a public copy() would copy the pixels
    plain.format = image.format
    return plain, turn


def _header_size(image: Image.Image, policy: Policy) -> PictureSize:
    check_size(image.size, policy)
    file = getattr(image, "fp", None)
    if image.format == "PNG" and file is not None and "exif" not in image.info and _facts_follow(file):
        image.load()
    if image.format != "TIFF" and _orientation(image) >= 5:  # Pillow has turned the size of a TIFF already
        return PictureSize(image.height, image.width)
    return PictureSize(*image.size)


def _orientation(image: Image.Image) -> int:
    try:  # unbound: the override for PNG would decode the pixels
        turn = Image.Image.getexif(image).get(ORIENTATION, 1)
        return int(turn) if turn in TURNS else 1
    except Exception:  # garbage where EXIF should be leaves the picture as it is stored
        return 1


def _check_whole(image: ImageFile.ImageFile, file: _Reader) -> None:
    """Refuse a file that is cut short or damaged where Pillow would not notice, or only with certain settings."""
    size = file.seek(0, 2)
    if image.format == "PNG":
        pixels = False
        for name, at, length in _chunks(file):
            if pixels and name != b"IDAT":
                continue
            pixels = name == b"IDAT"
            file.seek(at - 4)
            if zlib.crc32(file.read(length + 4)).to_bytes(4, "big") != file.read(4):
                raise Refusal(f"damaged PNG: wrong checksum of chunk {name.decode('latin-1')} at byte {at}")
    elif image.format == "WEBP":
        file.seek(4)
        expected = 8 + int.from_bytes(file.read(4), "little")
        if expected > size:
            raise _ended(size, expected)
    elif image.format == "TIFF":
        tags: Any = image.tag_v2  # type: ignore[attr-defined]
        for offsets, counts in ((273, 279), (324, 325)):  # strips, tiles
            ends = [at + count for at, count in zip(tags.get(offsets, ()), tags.get(counts, ()))]
            if max(ends, default=0) > size:
                raise _ended(size, max(ends))
    elif image.format in ("JPEG", "MPO", "JPEG2000"):
        for tail in (1 << 16, size):  # a second picture or a maker's data may follow the end marker
            file.seek(max(0, size - tail))
            if b"\xff\xd9" in file.read():
                return
        raise _ended(size)


def _chunks(file: Any) -> Iterator[tuple[bytes, int, int]]:
    """Name, position and length of the content of each chunk of a PNG file, up to IEND."""
    size, at, name = file.seek(0, 2), 8, b""
    while name != b"IEND":
        file.seek(at)
        if at + 12 > size:
            raise _ended(size)
        length, name = struct.unpack(">I4s", file.read(8))
        if at + 12 + length > size:
            raise _ended(size, at + 12 + length)
        yield name, at + 8, length
        at += 12 + length


def _facts_follow(file: Any) -> bool:
    """Whether a PNG file has its orientation, if any, after the pixels, where opening does not see it."""
    pixels = False
    for name, at, _ in _chunks(file):
        pixels = pixels or name == b"IDAT"
        if pixels and name in (b"tEXt", b"zTXt", b"iTXt"):
            file.seek(at)
            if file.read(17) in (b"Raw profile type ", b"XML:com.adobe.xmp"):
                return True
        elif pixels and name == b"eXIf":
            return True
    return False


def _check_icons(file: _Reader, policy: Policy) -> None:
    """Check the size of each entry, which may be a PNG of any size."""
    file.seek(4)
    directory = file.read(2 + 16 * 256)
    for at in range(2, 2 + 16 * min(int.from_bytes(directory[:2], "little"), 256), 16):
        file.seek(int.from_bytes(directory[at + 12 : at + 16], "little"))
        head = file.read(24)
        if len(head) == 24:
            png = head.startswith(b"\x89PNG")
            check_size(struct.unpack(">II", head[16:24]) if png else struct.unpack("<II", head[4:12]), policy)


@contextmanager
def _borrowed(image: Image.Image) -> Iterator[None]:
    """Keep other threads from loading the caller's image at the same time, and its file where it was."""
    with LOCKS[id(image) // 64 % len(LOCKS)]:
        file: Any = getattr(image, "fp", None)
        moves = getattr(image, "is_animated", False)  # the next frame is read where this one ended
        at = None if moves or getattr(file, "closed", file is None) else file.tell()
        try:
            yield
        finally:
            if at is not None and not getattr(file, "closed", False):
                file.seek(at)


# Pixels.


def _upright(image: Image.Image, turn: int) -> Image.Image:
    picture = _to_rgb(image)
    if turn in TURNS:
        picture = picture.transpose(TURNS[turn])
    picture.info = {}  # it is upright: the old EXIF would turn it again
    picture.format = None
    return picture


def _to_rgb(image: Image.Image) -> Image.Image:
    """image: a plain one, whose info may be changed; the pixels may be shared, except those of a palette."""
    if image.mode == "F" or image.mode.startswith("I"):
        image = _to_gray(image)
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        picture = Image.new("RGB", image.size, (255, 255, 255))
        picture.paste(colours, mask=colours.getchannel("A"))
        return picture
    image.info.pop("transparency", None)
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_gray(image: Image.Image) -> Image.Image:
    """More than 8 bits a pixel to 8 ("L", or "LA" where one value stands for transparent); convert() would clip."""
    values = np.asarray(image)
    transparent = image.info.get("transparency")
    if image.mode == "F":
        check_floats(values)
        low, high = float(values.min()), float(values.max())
        if high > 1 and low >= 0 and high <= 255 and bool((values == np.rint(values)).all()):
            gray = values.astype(np.uint8)
        else:
            gray = to_bytes(values)
    elif image.mode != "I" or image.format in ("PNG", "PPM"):  # both store at most 16 bits; Pillow scales PPM to that
        gray = (values >> 8).astype(np.uint8)
    else:
        gray = to_bytes(values)
    picture = Image.fromarray(gray)
    if isinstance(transparent, int):
        opaque = np.where(values == transparent, 0, 255).astype(np.uint8)
        picture = Image.merge("LA", (picture, Image.fromarray(opaque)))
    return picture


def _digest(facts: str, content: bytes | Array) -> str:
    digest = hashlib.blake2b(facts.encode(), digest_size=16)
    digest.update(content.data if isinstance(content, np.ndarray) else content)
    return digest.hexdigest()
