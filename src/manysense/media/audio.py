"""Sound: how long it is, its samples, a key for caches.

Knows: soundfile for wav, flac, ogg, mp3, aiff and their kin; PyAV for sound in other containers (m4a, aac, webm, the
track of a video); soxr for another rate; arrays, tensors and torchcodec decoders. Does not know: models, the rate they
want, torch (tensors are recognised by what they can do), how a file is opened (container.py) or fetched (fetch.py).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from ..errors import AmbiguousInput, MediaTooLarge, UnsupportedInput, UsageError
from ..extras import need
from .container import MOV_BOXES, decoded, open_container, packets, reading, refuse, start, track, words
from .policy import Policy
from .types import Blob, Sound, SoundSize

Floats = npt.NDArray[np.float32]

MAX_RATE = 768_000
MAX_CHANNELS = 32
BLOCK = 1 << 18  # samples decoded at a time: a header that lies about its length allocates nothing
SLACK = 2304  # samples of two MPEG frames: an encoder's delay, not a cut file

_NEEDS_AV = (b"\x1aE\xdf\xa3", b"FLV\x01", b"\x30\x26\xb2\x75", b"\x00\x00\x01\xba", b"#!AMR", b"wvpk", b"\x0b\x77")
_MAY_NEED_AV = (b"RIFF", b"OggS", b"fLaC", b"FORM", b"caff")  # soundfile reads them, but not with every codec


def sound_size(value: Any, policy: Policy, *, rate: int) -> SoundSize:
    """Length and rate, from the header where there is one; a header may be an estimate (an mp3 without a length).

    value: a Blob, samples (n,) or (channels, n), or a torchcodec AudioDecoder.  rate: Hz of bare samples.
    Raises MediaError, MediaTooLarge over policy.max_seconds, UnsupportedInput, AmbiguousInput.
    """
    if not isinstance(value, Blob):
        sound = open_sound(value, policy, rate=rate)
        return SoundSize(len(sound.samples) / sound.rate, sound.rate)
    with reading(value, "sound") as file:
        with _by_soundfile(value, file) as opened:
            if opened is not None:
                _check_seconds(opened.frames / opened.samplerate, policy, value.source)
                return SoundSize(opened.frames / opened.samplerate, _checked_rate(opened.samplerate, value.source))
        with open_container(value, file, "sound") as container:
            return _container_size(container, value, policy)


def open_sound(value: Any, policy: Policy, *, rate: int, first_seconds: float | None = None) -> Sound:
    """Samples as float32 mono (the mean over channels), at the rate they are stored with.

    value, rate, errors: as `sound_size`; also MediaError for a sound that is cut, empty, NaN or infinite.
    first_seconds: of a file, decode no more than that.
    """
    if isinstance(value, Blob):
        return _open_blob(value, policy, first_seconds)
    samples, rate = _bare(value, rate)
    source = f"samples {samples.shape} {samples.dtype}"
    rate = _checked_rate(rate, source)
    mono = _mono(samples, source)
    _check_seconds(len(mono) / rate, policy, source)
    return Sound(_finite(mono, source), rate)


def resample(samples: npt.ArrayLike, from_rate: int, to_rate: int) -> Floats:
    """The same sound at another rate: soxr HQ, ceil(n x to_rate / from_rate) samples, as librosa and transformers do.

    samples: (n,) mono.  Rates in Hz, 1 to 768000: MediaError for a wrong `from_rate` (a fact of the sound), UsageError
    for a wrong `to_rate`.  The same input gives the same output, in any thread.
    """
    sound = np.asarray(samples, dtype=np.float32)
    from_rate = _checked_rate(from_rate, f"samples {sound.shape} {sound.dtype}")
    if not _is_rate(to_rate):
        raise UsageError(f"cannot resample to {to_rate!r} Hz: a rate is an integer from 1 to {MAX_RATE}")
    if from_rate == to_rate:
        return sound
    count = -(-len(sound) * to_rate // from_rate)
    resampled = need("soxr", to="resample sound").resample(sound, from_rate, to_rate, quality="HQ")[:count]
    return np.ascontiguousarray(np.pad(resampled, (0, count - len(resampled))), dtype=np.float32)


def sound_key(value: Any, rate: int) -> str:
    """Equal for equal content: of a Blob its own key; of samples a digest of dtype, shape, bytes and rate."""
    if isinstance(value, Blob):
        return value.key()
    samples, rate = _bare(value, rate)
    return digest([samples], rate)


def open_track(blob: Blob, policy: Policy, first_seconds: float | None = None) -> Sound | None:
    """The first sound track of a container, read by PyAV; None when it has none, or an empty one."""
    with reading(blob, "sound") as file, open_container(blob, file, "sound") as container:
        if not container.streams.audio:
            return None
        stream = track(container.streams.audio, blob, "sound")
        _check_seconds(_header_seconds(container, stream) or 0.0, policy, blob.source)
        return _collect(_container_blocks(container, stream, blob), policy, blob.source, first_seconds)


def _open_blob(blob: Blob, policy: Policy, first_seconds: float | None) -> Sound:
    with reading(blob, "sound") as file, _by_soundfile(blob, file) as opened:
        known = opened is not None
        sound = _soundfile_sound(opened, blob, policy, first_seconds) if known else None
    if not known:
        sound = open_track(blob, policy, first_seconds)
    if sound is None:
        refuse(blob.source, f"cannot open sound {blob.source!r}: it has no sound track, or one without a sample")
    return sound


# Files that soundfile reads


@contextmanager
def _by_soundfile(blob: Blob, file: BinaryIO) -> Iterator[Any | None]:
    """An open SoundFile; None where PyAV should try: another container or codec, a length that was never known."""
    head = blob.peek(256)
    opened = None if _needs_av(head) else _soundfile_opened(blob, file, head)
    if opened is None:
        yield None
        return
    with opened:
        yield opened


def _soundfile_opened(blob: Blob, file: BinaryIO, head: bytes) -> Any | None:
    """As `_by_soundfile`, for a file that does not look like PyAV's; MediaError where PyAV would not help either."""
    soundfile = need("soundfile", to="read sound")
    malformed = 3
    try:
        opened = soundfile.SoundFile(file)
    except soundfile.LibsndfileError as error:
        if error.code != malformed and head.startswith(_MAY_NEED_AV):
            file.seek(0)
            return None
        refuse(blob.source, f"cannot open sound {blob.source!r}: {words(error)}{start(blob)}", cause=error)
    if opened.frames < 2**62:
        return opened
    opened.close()
    file.seek(0)
    return None


def _needs_av(head: bytes) -> bool:
    """Is this a container, or a bare aac or transport stream, that soundfile does not know?"""
    adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    transport = head[0:1] + head[188:189] == b"GG" or head[4:5] + head[196:197] == b"GG"
    return adts or transport or head.startswith(_NEEDS_AV) or head[4:8] in MOV_BOXES or head[8:12] == b"AVI "


def _soundfile_sound(opened: Any, blob: Blob, policy: Policy, first_seconds: float | None) -> Sound | None:
    rate, promised = int(opened.samplerate), int(opened.frames)
    _check_seconds(promised / rate, policy, blob.source)
    sound = _collect(_soundfile_blocks(opened, blob.source), policy, blob.source, first_seconds)
    got = len(sound.samples) if sound else 0
    if first_seconds is None and got < promised - SLACK and (opened.format != "MP3" or _mp3_states_length(blob)):
        refuse(blob.source, f"cannot read sound {blob.source!r}: it {_cut(got, promised, rate)}")
    return sound


def _soundfile_blocks(opened: Any, source: str) -> Iterator[tuple[int, Floats]]:
    rate, got = int(opened.samplerate), 0
    while True:
        try:
            block = opened.read(BLOCK, dtype="float32", always_2d=True)  # (n, channels)
        except RuntimeError as error:
            why = f"it {_cut(got, opened.frames, rate)} ({words(error)})"
            refuse(source, f"cannot read sound {source!r}: {why}", cause=error)
        if not len(block):
            return
        got += len(block)
        yield rate, block.T.mean(axis=0)


def _cut(got: int, promised: int, rate: int) -> str:
    return f"ends, or breaks, after {got / rate:.3g} s of {promised / rate:.3g} s"


def _mp3_states_length(blob: Blob) -> bool:
    """Has the first MPEG frame a table of contents? Without one, the length of an mp3 is a guess."""
    with blob.open() as file:
        head = file.read(10)
        tag = sum((byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0))) + 10
        file.seek(tag if head.startswith(b"ID3") else 0)
        first = file.read(4096)
    return any(name in first for name in (b"Xing", b"Info", b"VBRI"))


# Containers that PyAV reads


def _header_seconds(container: Any, stream: Any) -> float | None:
    """Length of the sound track, or of the whole container, as its header states or estimates it."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else None


def _container_size(container: Any, blob: Blob, policy: Policy) -> SoundSize:
    if not container.streams.audio:
        refuse(blob.source, f"cannot open sound {blob.source!r}: it has no sound track")
    stream = track(container.streams.audio, blob, "sound")
    seconds = _header_seconds(container, stream)
    if seconds is None:  # written by a recorder that never came back to fill it in
        spans = [(p.pts, p.pts + (p.duration or 0)) for p in packets(container, stream) if p.pts is not None]
        seconds = float((spans[-1][1] - spans[0][0]) * stream.time_base) if spans else 0.0
    _check_seconds(seconds, policy, blob.source)
    return SoundSize(seconds, _checked_rate(stream.rate, blob.source))


def _container_blocks(container: Any, stream: Any, blob: Blob) -> Iterator[tuple[int, Floats]]:
    for frame in decoded(container, stream, blob, "sound"):
        samples = frame.to_ndarray()  # (channels, n) when planar, (1, n x channels) when packed
        if not frame.format.is_planar:
            samples = samples.reshape(-1, len(frame.layout.channels)).T
        yield int(frame.sample_rate), _as_float(samples, blob.source).mean(axis=0)


def _collect(
    blocks: Iterable[tuple[int, Floats]], policy: Policy, source: str, first_seconds: float | None
) -> Sound | None:
    """Blocks of (rate, mono samples) as one Sound; None when there is no sample."""
    parts: list[Floats] = []
    count = known = 0
    for rate, block in blocks:
        known = known or rate
        if rate != known:
            refuse(source, f"cannot read sound {source!r}: its rate changes from {known} to {rate} Hz on the way")
        parts.append(block)
        count += len(block)
        _check_seconds(count / rate, policy, source)
        if first_seconds is not None and count >= first_seconds * rate:
            break
    if not count:
        return None
    end = None if first_seconds is None else round(first_seconds * known)
    return Sound(_finite(np.concatenate(parts)[:end], source), _checked_rate(known, source))


# Samples


def _bare(value: Any, rate: int) -> tuple[npt.NDArray[Any], int]:
    """Samples as an array, and their rate: a decoder knows its own."""
    if hasattr(value, "get_all_samples"):
        decoded = value.get_all_samples()
        value, rate = decoded.data, decoded.sample_rate
    return as_array(value), rate


def as_array(value: Any) -> npt.NDArray[Any]:
    """A numpy array of an array, a tensor (of any device, with or without grad) or nested lists; a view if possible."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if "bfloat16" in str(value.dtype):  # numpy has none
            value = value.float()
        value = value.numpy()
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        source = f"a {type(value).__name__}"
        raise UnsupportedInput(f"cannot read {source} as an array: {error}", source=source) from error


def digest(arrays: Iterable[npt.NDArray[Any]], *facts: object) -> str:
    """A key of the content of arrays (dtype, shape, bytes) and of facts about them."""
    state = hashlib.blake2b(repr(facts).encode(), digest_size=16)
    for array in arrays:
        state.update(f"{array.dtype.str}{array.shape}".encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def _mono(samples: npt.NDArray[Any], source: str) -> npt.NDArray[Any]:
    """(n,) or (channels, n) of any allowed dtype as (n,) floats."""
    if samples.size == 0:
        refuse(source, f"cannot read {source} as sound: there is no sample")
    if samples.ndim not in (1, 2):
        raise UnsupportedInput(f"cannot read {source} as sound: {samples.ndim} dimensions", source=source, hint=_SHAPES)
    if samples.ndim == 2 and samples.shape[0] >= min(samples.shape[1], MAX_CHANNELS + 1):
        raise AmbiguousInput(f"cannot tell channels from samples in {source}", source=source, hint=_SHAPES)
    floats = _as_float(samples, source)
    return floats.mean(axis=0) if floats.ndim == 2 else floats


_SHAPES = f"Give (samples,) or (channels, samples), with at most {MAX_CHANNELS} channels."
_FULL_SCALE = {"int8": 2**7, "int16": 2**15, "int32": 2**31}


def _as_float(samples: npt.NDArray[Any], source: str) -> npt.NDArray[Any]:
    """Integers scaled to [-1, 1); floats as they are, at least float32."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32) if samples.dtype.itemsize < 4 else samples
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / 128
    scale = _FULL_SCALE.get(samples.dtype.name)
    if scale is None:
        raise UnsupportedInput(
            f"cannot read {source} as sound: {samples.dtype} has no agreed full scale",
            source=source,
            hint="Give floats in [-1, 1], or int16, int32, uint8 or int8.",
        )
    return samples.astype(np.float32) / np.float32(scale)


def _finite(samples: npt.NDArray[Any], source: str) -> Floats:
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(samples, dtype=np.float32)
    if not np.isfinite(floats).all():
        refuse(source, f"cannot read sound {source!r}: it holds values that are NaN or infinite")
    return floats


def _is_rate(rate: object) -> bool:
    return isinstance(rate, int | np.integer) and not isinstance(rate, bool) and 1 <= int(rate) <= MAX_RATE


def _checked_rate(rate: Any, source: str) -> int:
    if not _is_rate(rate):
        refuse(source, f"cannot read sound {source!r}: {rate!r} Hz is not an integer from 1 to {MAX_RATE}")
    return int(rate)


def _check_seconds(seconds: float, policy: Policy, source: str) -> None:
    if seconds > policy.max_seconds:
        raise MediaTooLarge(
            f"{source!r} is {seconds:.6g} s long, over the limit of {policy.max_seconds:.6g} s",
            source=source,
            hint="Cut it, or raise max_seconds of the policy.",
        )
