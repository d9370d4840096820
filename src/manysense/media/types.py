"""What the stations of the line know of a medium: where its bytes are, how large it is, what came out of it.

Knows: plain values. Does not know: formats, models, torch.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """Encoded bytes of one medium: in memory (`data`) or in a local file (`path`), exactly one of them.

    source: what the caller called it, short enough for an error message.
    """

    source: str
    data: bytes | None = None
    path: Path | None = None
    content_type: str | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        if self.data is not None:
            return len(self.data)
        assert self.path is not None
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """A seekable binary file at position 0; the caller closes it."""
        if self.data is not None:
            return io.BytesIO(self.data)
        assert self.path is not None
        return self.path.open("rb")

    def peek(self, count: int = 64) -> bytes:
        """The first bytes, for sniffing."""
        with self.open() as file:
            return file.read(count)

    def key(self) -> str:
        """Equal for equal content: a digest of bytes in memory; path, size and time of change of a file."""
        if self.data is not None:
            return hashlib.blake2b(self.data, digest_size=16).hexdigest()
        assert self.path is not None
        facts = self.path.stat()
        return f"{self.path.absolute()}:{facts.st_size}:{facts.st_mtime_ns}"


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Pixels, after EXIF rotation."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class SoundSize:
    """seconds: length. rate: Hz as stored."""

    seconds: float
    rate: int


@dataclass(frozen=True, slots=True)
class ClipSize:
    """A video as its container describes it. times: presentation time of every frame in seconds, ascending, from 0."""

    width: int
    height: int
    fps: float
    times: npt.NDArray[np.float64]
    has_sound: bool

    @property
    def frames(self) -> int:
        return len(self.times)


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """samples: (n,) float32 mono in [-1, 1] where the file is not louder than full scale. rate: Hz."""

    samples: npt.NDArray[np.float32]
    rate: int


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Sampled frames. frames: (count, height, width, 3) uint8 RGB. times: (count,) seconds. indices: (count,) frame
    numbers in the file. fps and total: of the file."""

    frames: npt.NDArray[np.uint8]
    times: npt.NDArray[np.float64]
    indices: npt.NDArray[np.int64]
    fps: float
    total: int
