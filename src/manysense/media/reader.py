"""Open the media of one window: each reference is fetched once, each content decoded and prepared once.

Knows: which function opens which modality, and what has been opened. Does not know: models, tensors, threads other
than that it may be called from many.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ManysenseError, MediaError, MediaNotFound
from ..inputs.types import Modality, Part
from . import audio, image, text, video
from .fetch import describe, fetch, is_base64
from .policy import Policy
from .sniff import HEAD, sniff
from .types import Blob, Clip, ClipSize, PictureSize

KEPT_BYTES = 16 * 1024 * 1024
"""Prepared media that may be wanted again stay up to this many bytes."""


def peek(policy: Policy) -> Callable[[Any], Modality | None]:
    """The function that inputs/parse.py is handed to look at bytes; None for a str that holds no medium."""

    def look(value: Any) -> Modality | None:
        if isinstance(value, str) and value[:5].lower() != "data:" and not is_base64(value):
            return None
        return sniff(fetch(value, policy, modality=None).peek(HEAD))

    return look


def is_reference(value: Any) -> bool:
    """Whether the value names or holds encoded bytes, rather than decoded pixels or samples."""
    if isinstance(value, (str, bytes, bytearray, memoryview, os.PathLike)) or hasattr(value, "read"):
        return True
    return isinstance(value, Mapping) and ("bytes" in value or "path" in value)


class Reader:
    """Opens parts under one policy and remembers. Safe to call from several threads at once.

    before: readers whose memory counts too: of the window before, or of what a whole call shares.  tokenised: ids of
    texts that come again, for whoever tokenises.  tally: what was opened and seen, for whoever counts.
    """

    def __init__(
        self,
        policy: Policy,
        before: Sequence[Reader] = (),
        tokenised: dict[str, Any] | None = None,
        tally: Counter[str] | None = None,
    ) -> None:
        self.policy = policy
        self.before = before
        self.tokenised = {} if tokenised is None else tokenised
        self.tally = Counter() if tally is None else tally
        self._lock = threading.Lock()
        self._made: dict[Any, Future[Any]] = {}
        self._kept: OrderedDict[Any, int] = OrderedDict()

    # ---- the facts

    def text(self, part: Part) -> str:
        return text.open_text(part.value, self.policy)

    def bytes_of(self, part: Part) -> int:
        """Encoded bytes held in memory for this part; 0 for a file that is not read yet and for decoded values."""
        value = self.value(part)
        return len(value.data) if isinstance(value, Blob) and value.data is not None else 0

    def value(self, part: Part) -> Any:
        """The fetched Blob of a reference; any other value as it is."""
        if not is_reference(part.value):
            return part.value
        handle = part.value if isinstance(part.value, (str, bytes)) else _Same(part.value)
        try:
            return self.once(
                ("fetch", handle), lambda: fetch(part.value, self.policy, modality=part.modality), keep=True
            )
        except MediaNotFound as error:
            if isinstance(part.value, str):
                error.hint = f"{error.hint or ''} To embed the words themselves, pass Text(…).".strip()
            raise

    def key(self, part: Part) -> str:
        """Equal for equal content."""
        made: str = self.once(("key", part), lambda: self._key(part), keep=True)
        return made

    def _key(self, part: Part) -> str:
        value, rate = self.value(part), part.meta.get("sampling_rate", 0)
        made = {"image": image.picture_key, "video": video.clip_key}.get(part.modality)
        with self._opening(part):
            name = made(value) if made else audio.sound_key(value, rate)
        return f"{part.modality}:{name}:{sorted(part.meta.items())}"

    def is_frames(self, part: Part) -> bool:
        """Whether a video part is frames that the caller sampled, rather than a file or frames with a rate."""
        return not is_reference(part.value) and "fps" not in part.meta and not hasattr(part.value, "get_frames_at")

    def picture_size(self, part: Part) -> PictureSize:
        with self._opening(part):
            size: PictureSize = self.once(("size", part), lambda: image.picture_size(self.value(part), self.policy))
        return size

    def clip_size(self, part: Part) -> ClipSize:
        fps = part.meta.get("fps")
        with self._opening(part):
            size: ClipSize = self.once(
                ("size", part), lambda: video.clip_size(self.value(part), self.policy, fps=fps), keep=True
            )
        return size

    def sound_seconds(self, part: Part, rate: int) -> float:
        given = part.meta.get("sampling_rate", rate)
        with self._opening(part):
            return audio.sound_size(self.value(part), self.policy, rate=given).seconds

    # ---- the contents

    def picture(self, part: Part) -> Any:
        """A PIL picture in RGB, the reader's own copy."""
        with self._opening(part):
            return image.open_picture(self.value(part), self.policy)

    def sound(self, part: Part, rate: int) -> npt.NDArray[np.float32]:
        """(n,) mono samples at `rate` Hz."""
        given = part.meta.get("sampling_rate", rate)
        with self._opening(part):
            sound = audio.open_sound(self.value(part), self.policy, rate=given)
            return audio.resample(sound.samples, sound.rate, rate)

    def clip(self, part: Part, indices: Sequence[int]) -> Clip:
        with self._opening(part):
            return video.open_clip(self.value(part), self.policy, indices, fps=part.meta.get("fps"))

    def clip_sound(self, part: Part, rate: int) -> npt.NDArray[np.float32] | None:
        """(n,) mono samples at `rate` Hz of a video's sound track; None without one, and for bare frames."""
        value = self.value(part)
        if not isinstance(value, Blob):
            return None
        with self._opening(part):
            sound = video.sound_of(value, self.policy, rate)
        return None if sound is None else sound.samples

    @contextlib.contextmanager
    def _opening(self, part: Part) -> Iterator[None]:
        """Whatever a decoder or a caller's own object raises is an error of this item, never of the whole call."""
        try:
            yield
        except (ManysenseError, MemoryError):
            raise
        except Exception as error:
            raise MediaError(
                f"{part.modality} {describe(part.value)} cannot be opened: {type(error).__name__}: {error}",
                source=describe(part.value),
            ) from error

    def once(self, key: Any, make: Callable[[], Any], *, keep: bool = False) -> Any:
        """make() once for each key, also when many threads ask at the same time; errors are remembered too.

        keep: stay for the whole window; otherwise the oldest go when more than KEPT_BYTES are held.
        """
        for reader in self.before:
            known = reader._made.get(key)
            if known is not None:
                return known.result()
        with self._lock:
            future = self._made.get(key)
            mine = future is None
            if future is None:
                future = self._made[key] = Future()
        if mine:
            try:
                future.set_result(make())
            except BaseException as error:
                future.set_exception(error)
            if not keep and future.exception() is None:
                self._trim(key, _bytes_in(future.result()))
        return future.result()

    def _trim(self, key: Any, size: int) -> None:
        with self._lock:
            self._kept[key] = size
            while sum(self._kept.values()) > KEPT_BYTES and len(self._kept) > 1:
                oldest, _ = self._kept.popitem(last=False)
                self._made.pop(oldest, None)


class _Same:
    """A key that is equal for one and the same object, which it keeps alive."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.value is self.value


def _bytes_in(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(_bytes_in(v) for v in value.values())
    return int(getattr(value, "nbytes", 64))
