"""Video: when each frame is shown, the chosen frames as pixels, the sound track, a key for caches.

Knows: PyAV for files; lists, arrays and tensors of frames; torchcodec decoders; rotation. A frame is named by its
place in the order of presentation. Does not know: models, how many frames they want, torch (tensors are recognised by
what they can do), how a file is opened (container.py) or fetched (fetch.py), pixels that are not square.

A file is passed over twice: once without decoding, for the times of its packets (milliseconds), once to decode up to
the last chosen frame. Each decoder runs on one thread: callers open several videos in parallel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import AmbiguousInput, MediaTooLarge, UnsupportedInput
from .audio import as_array, digest, open_track, resample
from .container import decoded, open_container, packets, reading, refuse, track
from .image import open_picture
from .policy import DEFAULT, Policy
from .types import Blob, Clip, ClipSize, Sound

Frames = npt.NDArray[np.uint8]
Times = npt.NDArray[np.float64]

UNSTATED_FPS = 25.0  # where neither the container nor the times of its frames give a rate: one frame, or no times

_SHAPES = (
    "Give uint8 RGB frames: a list of pictures, or an array (frames, height, width, 3) or (frames, 3, height, width)."
)


def clip_size(value: Any, policy: Policy, *, fps: float | None = None) -> ClipSize:
    """Size, frame times and rate of a video; of a file by one pass over its packets, decoding only the first frame.

    value: a Blob, a list of pictures (PIL, or arrays (height, width, 3)), an array or tensor (frames, height, width, 3)
    or (frames, 3, height, width), or a torchcodec VideoDecoder.  fps: of bare frames; None counts one a second.
    Width and height are those after rotation.
    Raises MediaError, MediaTooLarge over the policy's pixels, seconds or frames, UnsupportedInput, AmbiguousInput.
    """
    if isinstance(value, Blob):
        with _video(value, policy) as (container, stream):
            return _survey(container, stream, value.source, policy).size
    if hasattr(value, "get_frames_at"):
        facts = value.metadata
        rate, total = float(facts.average_fps), int(facts.num_frames)
        return _checked(ClipSize(facts.width, facts.height, rate, np.arange(total) / rate, False), policy, _name(value))
    frames = _bare(value)
    height, width = _pixels(frames[0], _name(value)).shape[:2]
    rate = _rate(fps, _name(value))
    return _checked(ClipSize(width, height, rate, np.arange(len(frames)) / rate, False), policy, _name(value))


def open_clip(value: Any, policy: Policy, indices: Sequence[int], *, fps: float | None = None) -> Clip:
    """The frames with these numbers, as RGB, upright.

    indices: numbers in the order of presentation, ascending; repeats are allowed.  value, fps, errors: as `clip_size`;
    also MediaError where the file ends or breaks before the last of them, or its frames change size on the way.
    A frame that has a time but no pixels of its own (a hidden one) is the frame on the screen at that time.
    """
    wanted = np.asarray(indices, dtype=np.int64)
    assert wanted.size, "indices: at least one"
    assert wanted[0] >= 0, "indices: from 0"
    assert (np.diff(wanted) >= 0).all(), "indices: ascending"
    if isinstance(value, Blob):
        return _open_blob(value, policy, wanted)
    source = _name(value)
    size = clip_size(value, policy, fps=fps)
    _check_last(wanted, size, source)
    if hasattr(value, "get_frames_at"):
        batch = value.get_frames_at(wanted.tolist())
        start = getattr(value.metadata, "begin_stream_seconds", None) or 0.0
        times = as_array(batch.pts_seconds).astype(np.float64) - start
        return Clip(_channels_last(as_array(batch.data), source), times, wanted, size.fps, size.frames)
    frames = _bare(value)
    pixels = [_pixels(frames[index], source) for index in wanted]
    if any(picture.shape != pixels[0].shape for picture in pixels):
        refuse(source, f"cannot read {source} as video: its frames differ in size")
    return Clip(np.stack(pixels), size.times[wanted], wanted, size.fps, size.frames)


def even_indices(times: Times, count: int) -> npt.NDArray[np.int64]:
    """Choose `count` frames evenly in time, the first and the last among them.

    times: seconds, ascending.  At a constant rate this is linspace(0, n - 1, count).round(), as transformers and
    qwen-vl-utils choose; else the frame nearest to each of `count` even times. More than n repeats frames.
    """
    assert count > 0
    assert len(times)
    even = np.linspace(0, len(times) - 1, count)
    steady = np.linspace(times[0], times[-1], len(times))
    step = (times[-1] - times[0]) / max(1, len(times) - 1)
    if np.abs(times - steady).max() <= step / 4:  # containers round times, to a millisecond or so
        return even.round().astype(np.int64)
    moments = np.linspace(times[0], times[-1], count)
    after = np.searchsorted(times, moments).clip(1, len(times) - 1)
    return np.where(moments - times[after - 1] <= times[after] - moments, after - 1, after).astype(np.int64)


def sound_of(blob: Blob, policy: Policy, rate: int) -> Sound | None:
    """The sound track of a video as mono at `rate` Hz; None when it has none. Errors: as media/audio.py."""
    sound = open_track(blob, policy)
    return None if sound is None else Sound(resample(sound.samples, sound.rate, rate), rate)


def clip_key(value: Any) -> str:
    """Equal for equal content: of a Blob its own key; of frames a digest. Of a decoder, every frame is decoded."""
    if isinstance(value, Blob):
        return value.key()
    if hasattr(value, "get_frames_at"):
        total = int(value.metadata.num_frames)
        runs = (list(range(start, min(start + 64, total))) for start in range(0, total, 64))
        batches = (value.get_frames_at(run) for run in runs)
        parts = (as_array(part) for batch in batches for part in (batch.data, batch.pts_seconds))
        return digest(parts, "decoder")
    frames = _bare(value)
    return digest([_pixels(frame, "a frame") for frame in frames], "frames")


# Files


@dataclass(frozen=True, slots=True, eq=False)
class _Survey:
    """What a pass over the packets found.

    stamps: of every frame, ascending: its time of presentation in units of the track; or, where `counted`, its number,
    because the container keeps no times of presentation and frames can only be counted as the decoder gives them.
    """

    size: ClipSize
    stamps: npt.NDArray[np.int64]
    counted: bool


@contextmanager
def _video(blob: Blob, policy: Policy) -> Iterator[tuple[Any, Any]]:
    """The open container of a file and its picture track, with decoders limited to the policy's pixels."""
    with reading(blob, "video") as file, open_container(blob, file, "video") as container:
        tracks = [s for s in container.streams.video if not s.disposition & type(s.disposition).attached_pic]  # covers
        if not tracks:
            kinds = ", ".join(sorted({str(stream.type) for stream in container.streams})) or "nothing"
            hint = 'Embed it as sound with Audio("...").' if container.streams.audio else None
            refuse(blob.source, f"cannot open video {blob.source!r}: it has no picture track, only {kinds}", hint)
        stream = track(tracks, blob, "video")
        codec = stream.codec_context
        _check_pixels(codec.width, codec.height, policy, blob.source)
        codec.options = {"max_pixels": str(min(policy.max_pixels, 2**31 - 1))}
        codec.thread_count = 1
        yield container, stream


def _survey(container: Any, stream: Any, source: str, policy: Policy) -> _Survey:
    stamps: list[int | None] = []
    counted = container.format.name == "avi"  # what it gives as times of presentation are those of decoding
    first = None
    for packet in packets(container, stream):
        if first is None:
            first = next(iter(packet.decode()), None)
        if packet.is_discard:  # outside the edit list: decoded, never shown
            continue
        counted = counted or packet.pts is None
        stamps.append(packet.dts if packet.pts is None else packet.pts)
        if len(stamps) > policy.max_frames:
            _too_large(source, f"has more than {policy.max_frames} frames", "max_frames")
    first = first or next(iter(stream.decode(None)), None)
    if first is None or not stamps:
        refuse(source, f"cannot open video {source!r}: it has no frame that can be decoded")
    times, fps, known = _timing(stamps, counted, stream)
    height, width = _upright(np.empty((first.height, first.width, 0)), first).shape[:2]
    size = _checked(ClipSize(width, height, fps, times, bool(container.streams.audio)), policy, source)
    return _Survey(size, np.arange(len(times)) if counted else known, counted)


def _timing(stamps: list[int | None], counted: bool, stream: Any) -> tuple[Times, float, npt.NDArray[np.int64]]:
    """Times in seconds from 0, frames per second, and the stamps behind them, ascending."""
    known = np.unique(np.asarray([stamp for stamp in stamps if stamp is not None], dtype=np.int64))
    stated = float(stream.average_rate or 0)
    if counted and len(known) < len(stamps):  # frames without any time
        fps = stated or UNSTATED_FPS
        return np.arange(len(stamps)) / fps, fps, known
    times = (known - known[0]) * float(stream.time_base)
    measured = (len(times) - 1) / float(times[-1]) if len(times) > 1 else UNSTATED_FPS
    return times, measured if counted else stated or measured, known


def _open_blob(blob: Blob, policy: Policy, wanted: npt.NDArray[np.int64]) -> Clip:
    with _video(blob, policy) as (container, stream):
        survey = _survey(container, stream, blob.source, policy)
    size = survey.size
    _check_last(wanted, size, blob.source)
    frames = np.empty((len(wanted), size.height, size.width, 3), np.uint8)
    with _video(blob, policy) as (container, stream):
        done = 0
        for index, frame in _shown(container, stream, blob, survey, np.unique(wanted)):
            pixels = _upright(frame.to_ndarray(format="rgb24"), frame)
            if pixels.shape != frames.shape[1:]:
                was, now = f"{size.width} x {size.height}", f"{pixels.shape[1]} x {pixels.shape[0]}"
                refuse(blob.source, f"cannot read video {blob.source!r}: its frames change size, {was} to {now}")
            frames[wanted == index] = pixels
            done = index + 1
    if done <= wanted[-1]:
        ends = f"it ends, or breaks, before frame {wanted[-1]} of {size.frames} ({size.times[wanted[-1]]:.3g} s)"
        refuse(blob.source, f"cannot read video {blob.source!r}: {ends}")
    return Clip(frames, size.times[wanted], wanted, size.fps, size.frames)


def _shown(
    container: Any, stream: Any, blob: Blob, survey: _Survey, wanted: npt.NDArray[np.int64]
) -> Iterator[tuple[int, Any]]:
    """(number, frame) of each wanted frame, in one pass; fewer when the file ends early."""
    targets = iter(wanted.tolist())
    index = next(targets)
    before = None
    for count, frame in enumerate(decoded(container, stream, blob, "video")):
        stamp = count if survey.counted else frame.pts
        if stamp is None:
            continue
        while stamp >= survey.stamps[index]:
            late = before is not None and stamp > survey.stamps[index]
            yield index, before if late else frame
            following = next(targets, None)
            if following is None:
                return
            index = following
        before = frame


def _upright(pixels: npt.NDArray[Any], frame: Any) -> npt.NDArray[Any]:
    """Pixels (height, width, ...) as the display matrix of the frame shows them: quarter turns and mirrors."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return pixels
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5]  # x' = a x + c y, y' = b x + d y
    if abs(int(b)) > abs(int(a)):
        pixels, a, d = pixels.swapaxes(0, 1), c, b
    if a < 0:
        pixels = pixels[:, ::-1]
    return pixels[::-1] if d < 0 else pixels


# Frames in memory


def _name(value: Any) -> str:
    """A few words for messages."""
    if hasattr(value, "shape"):
        return f"frames {tuple(value.shape)} {value.dtype}"
    return f"{len(value)} frames" if isinstance(value, list | tuple) else f"a {type(value).__name__}"


def _bare(value: Any) -> Sequence[Any] | Frames:
    """Frames one by one: the list itself, or an array (frames, height, width, 3)."""
    frames = value if isinstance(value, list | tuple) else _channels_last(as_array(value), _name(value))
    if not len(frames):
        refuse(_name(value), f"cannot read {_name(value)} as video: there is no frame")
    return frames


def _pixels(frame: Any, source: str) -> Frames:
    """One picture or array as (height, width, 3) uint8."""
    pixels = np.asarray(open_picture(frame, DEFAULT)) if hasattr(frame, "convert") else as_array(frame)
    picture: Frames = _channels_last(pixels[None], source)[0]
    return picture


def _channels_last(frames: npt.NDArray[Any], source: str) -> Frames:
    """(frames, height, width, 3) or (frames, 3, height, width) as the first of these."""
    first, last = (frames.shape[1] == 3, frames.shape[3] == 3) if frames.ndim == 4 else (False, False)
    if frames.dtype.kind == "f" and frames.size:
        low, high = frames.min(), frames.max()
        if not (low >= 0 and high <= 1):  # NaN fails too
            finite = np.isfinite(frames).all()
            what = f"floats from {low:g} to {high:g}" if finite else "values that are NaN or infinite"
            reason = f"cannot read {source} as video: it has {what}; floats must be in 0..1"
            raise UnsupportedInput(reason, source=source, hint=_SHAPES)
        frames = np.rint(frames.astype(np.float32) * 255).astype(np.uint8)  # as for one picture
    if frames.dtype != np.uint8 or not (first or last):
        reason = f"cannot read {source} as video: frames are {frames.shape} {frames.dtype}"
        raise UnsupportedInput(reason, source=source, hint=_SHAPES)
    if first and last:
        raise AmbiguousInput(f"cannot tell colours from pixels in {source}", source=source, hint=_SHAPES)
    ordered: Frames = frames if last else np.moveaxis(frames, 1, 3)
    return ordered


def _rate(fps: float | None, source: str) -> float:
    if fps is None:
        return 1.0
    if not (math.isfinite(fps) and fps > 0):
        refuse(source, f"cannot read {source} as video: {fps!r} frames per second")
    return float(fps)


# Limits


def _checked(size: ClipSize, policy: Policy, source: str) -> ClipSize:
    if size.width < 1 or size.height < 1:
        refuse(source, f"cannot read video {source!r}: its frames are {size.width} x {size.height} pixels")
    if not size.frames:
        refuse(source, f"cannot read video {source!r}: it has no frame")
    _check_pixels(size.width, size.height, policy, source)
    if size.frames > policy.max_frames:
        _too_large(source, f"has {size.frames} frames, over the limit of {policy.max_frames}", "max_frames")
    if size.times[-1] > policy.max_seconds:
        seconds = f"{size.times[-1]:.6g} s long, over the limit of {policy.max_seconds:.6g} s"
        _too_large(source, f"is {seconds}", "max_seconds")
    return size


def _check_pixels(width: int, height: int, policy: Policy, source: str) -> None:
    if width * height > policy.max_pixels:
        reason = f"has frames of {width} x {height} pixels, over the limit of {policy.max_pixels}"
        _too_large(source, reason, "max_pixels")


def _check_last(wanted: npt.NDArray[np.int64], size: ClipSize, source: str) -> None:
    if wanted[-1] >= size.frames:
        refuse(source, f"cannot read frame {wanted[-1]} of video {source!r}: it has {size.frames} frames")


def _too_large(source: str, reason: str, limit: str) -> None:
    raise MediaTooLarge(f"{source!r} {reason}", source=source, hint=f"Cut it, or raise {limit} of the policy.")
