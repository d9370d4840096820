"""Pictures and frames → the numbers a vision tower reads.

Knows: the two ways of the field: one fixed square (CLIP, SigLIP, ViT) and as many patches as a pixel budget allows
(Qwen-VL). Does not know: models, files.

Values equal those of transformers' Pillow image processors: resampling by Pillow on 8-bit pixels, then rescaling and
normalising, which for 8-bit input is one table look-up per channel. Video frames are resampled by torch on 8-bit pixels
and normalised as transformers' video processors do, which is what the authors of Qwen3-VL-Embedding use for frames.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import MediaError, UsageError
from ...media.types import ClipSize, PictureSize
from .recipe import FolderFacts

Arrays = dict[str, npt.NDArray[Any]]
Table = npt.NDArray[np.float32]

MOST_RATIO = 200
LISTED_FPS = 2.0
"""Frames per second that the authors take a list of frames to have."""


class ImagePolicy(Protocol):
    """How one picture is prepared."""

    def tokens(self, size: PictureSize) -> tuple[int, int]:
        """(tokens it becomes in the sequence, patches that the tower sees)."""
        ...

    def prepare(self, picture: Any) -> Arrays:
        """PIL picture in RGB → arrays without a batch axis."""
        ...

    def changed(self, overrides: Mapping[str, Any]) -> ImagePolicy:
        """The policy with per-call overrides. Raises UsageError for one it does not know."""
        ...


class ClipPolicy(Protocol):
    """How the frames of one video are chosen and prepared. listed: frames that the caller sampled already."""

    def choose(self, size: ClipSize, listed: bool) -> list[int]: ...

    def tokens(self, size: ClipSize, count: int, listed: bool) -> tuple[int, int, int]:
        """(temporal patches, tokens of each, patches that the tower sees) for `count` frames."""
        ...

    def stamps(self, size: ClipSize, indices: Sequence[int], listed: bool) -> list[float]:
        """Seconds, one for each temporal patch."""
        ...

    def prepare(self, frames: npt.NDArray[np.uint8], listed: bool) -> Arrays: ...

    def changed(self, overrides: Mapping[str, Any]) -> ClipPolicy: ...


def lookup_table(config: Mapping[str, Any], *, fused: bool = False) -> Table:
    """(3, 256) float32: what each 8-bit value of each channel becomes.

    fused: rescaling folded into mean and deviation, as transformers' torch backends round it.
    """
    values = np.arange(256)
    scale = config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else None
    if not config.get("do_normalize", True):
        plain = values * scale if scale is not None else values
        return np.tile(plain.astype(np.float32), (3, 1))
    mean, std = (np.array(_three(config[name]), np.float32)[:, None] for name in ("image_mean", "image_std"))
    if fused and scale is not None:
        factor = np.float32(1.0 / scale)
        folded: Table = (values.astype(np.float32) - mean * factor) / (std * factor)
        return folded
    rescaled = (values.astype(np.float64) * scale if scale is not None else values).astype(np.float32)
    table: Table = (rescaled - mean) / std
    return table


def _three(value: Any) -> list[float]:
    return [float(v) for v in value] if isinstance(value, Sequence) else [float(value)] * 3


def _planes(pixels: npt.NDArray[np.uint8], table: Table) -> npt.NDArray[np.float32]:
    """(height, width, 3) uint8 → (3, height, width) float32 through the table."""
    out = np.empty((3, *pixels.shape[:2]), np.float32)
    for channel in range(3):
        np.take(table[channel], pixels[..., channel], out=out[channel], mode="clip")
    return out


# ---- one fixed size


_SQUARE_OPTIONS = (
    *("size", "crop_size", "do_resize", "do_center_crop", "resample"),
    *("do_rescale", "rescale_factor", "do_normalize", "image_mean", "image_std"),
)


@dataclass(frozen=True, slots=True, eq=False)
class FixedSquare:
    """Resize (shortest edge, or both), crop the middle, rescale, normalise → pixel_values (3, height, width)."""

    table: Table
    resample: int
    shortest: int | None
    exact: tuple[int, int] | None  # (height, width)
    crop: tuple[int, int] | None  # (height, width)
    config: Mapping[str, Any]
    patch: int

    @classmethod
    def of(cls, facts: FolderFacts) -> FixedSquare:
        vision = facts.config.get("vision_config") or facts.config
        patch = vision.get("patch_size")
        made = {**facts.image, **_picture_overrides(facts.overrides, _SQUARE_OPTIONS)}
        return cls._of(made, patch if isinstance(patch, int) else 16)

    @classmethod
    def _of(cls, config: Mapping[str, Any], patch: int) -> FixedSquare:
        size = config.get("size", {"shortest_edge": 224}) if config.get("do_resize", True) else {}
        if isinstance(size, int):
            size = {"shortest_edge": size} if config.get("do_center_crop", True) else {"height": size, "width": size}
        crop = config.get("crop_size", 224) if config.get("do_center_crop", True) else None
        if isinstance(crop, int):
            crop = {"height": crop, "width": crop}
        for name, value, allowed in (
            ("size", size, ("shortest_edge", "height", "width")),
            ("crop_size", crop, ("height", "width")),
        ):
            if value and (not isinstance(value, Mapping) or set(value) - set(allowed)):
                raise UsageError(f"{name} is a whole number or a dict of {', '.join(allowed)}, got {value!r}")
        return cls(
            table=lookup_table(config),
            resample=int(config.get("resample", 3)),
            shortest=size.get("shortest_edge"),
            exact=(size["height"], size["width"]) if "height" in size else None,
            crop=(crop["height"], crop["width"]) if crop else None,
            config=config,
            patch=patch,
        )

    def tokens(self, size: PictureSize) -> tuple[int, int]:
        height, width = self.crop or self.exact or (size.height, size.width)
        patches = max(1, height * width // self.patch**2)
        return patches, patches

    def prepare(self, picture: Any) -> Arrays:
        target = self._target(picture.size)
        if target != picture.size:
            picture = picture.resize(target, resample=self.resample)
        pixels = np.asarray(picture)
        return {"pixel_values": _planes(_center_crop(pixels, self.crop) if self.crop else pixels, self.table)}

    def _target(self, size: tuple[int, int]) -> tuple[int, int]:
        width, height = size
        if self.exact is not None:
            return self.exact[1], self.exact[0]
        if self.shortest is None:
            return size
        if width <= height:
            return self.shortest, int(self.shortest * height / width)
        return int(self.shortest * width / height), self.shortest

    def changed(self, overrides: Mapping[str, Any]) -> FixedSquare:
        unknown_overrides("image", overrides, _SQUARE_OPTIONS)
        return self._of({**self.config, **overrides}, self.patch) if overrides else self


def _center_crop(pixels: npt.NDArray[np.uint8], crop: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """(height, width, 3) cut or zero-padded to `crop` around its middle, rounding as transformers does."""
    (height, width), (wanted_h, wanted_w) = pixels.shape[:2], crop
    top, left = (height - wanted_h) // 2, (width - wanted_w) // 2
    if top >= 0 and left >= 0:
        return pixels[top : top + wanted_h, left : left + wanted_w]
    full_h, full_w = max(wanted_h, height), max(wanted_w, width)
    pad_top, pad_left = math.ceil((full_h - height) / 2), math.ceil((full_w - width) / 2)
    padded = np.zeros((full_h, full_w, 3), np.uint8)
    padded[pad_top : pad_top + height, pad_left : pad_left + width] = pixels
    top, left = top + pad_top, left + pad_left
    return padded[max(0, top) : top + wanted_h, max(0, left) : left + wanted_w]


# ---- a pixel budget


def smart_resize(height: int, width: int, factor: int, least: float, most: float) -> tuple[int, int]:
    """(height, width) divisible by `factor`, within `least`…`most` pixels, of nearly the same shape.

    Raises MediaError for sides of more than 200 to 1.  Source: qwen-vl-utils, `smart_resize`.
    """
    if max(height, width) / min(height, width) > MOST_RATIO:
        raise MediaError(
            f"a picture of {width}x{height} is longer than {MOST_RATIO} times its width, which this model cannot read",
            source=f"{width}x{height}",
            hint="Cut it into parts.",
        )
    h = max(factor, round(height / factor) * factor)
    w = max(factor, round(width / factor) * factor)
    if h * w > most:
        beta = math.sqrt(height * width / most)
        h = max(factor, math.floor(height / beta / factor) * factor)
        w = max(factor, math.floor(width / beta / factor) * factor)
    elif h * w < least:
        beta = math.sqrt(least / (height * width))
        h, w = math.ceil(height * beta / factor) * factor, math.ceil(width * beta / factor) * factor
    return h, w


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Resize into a pixel budget, normalise, cut into patches → pixel_values (patches, values), image_grid_thw (3,).

    least, most: pixels.  patch: side of a patch.  merge: patches merged per side.  depth: frames merged in time.
    Source: Qwen3-VL; sizes as in qwen-vl-utils.
    """

    table: Table
    least: int
    most: int
    patch: int = 16
    merge: int = 2
    depth: int = 2
    resample: int = 3

    @classmethod
    def of(cls, facts: FolderFacts, *, least: int, most: int) -> Patches:
        """least, most: the authors' own budget, which the caller's min_pixels and max_pixels replace."""
        given = _picture_overrides(facts.overrides, ("min_pixels", "max_pixels", "size"))
        config = facts.image
        made = cls(
            table=lookup_table(config),
            least=least,
            most=most,
            patch=int(config.get("patch_size", 16)),
            merge=int(config.get("merge_size", 2)),
            depth=int(config.get("temporal_patch_size", 2)),
            resample=int(config.get("resample", 3)),
        )
        return made.changed(given)

    def changed(self, overrides: Mapping[str, Any]) -> Patches:
        least, most = _budget(overrides, self.least, self.most, "image")
        return replace(self, least=least, most=most)

    @property
    def factor(self) -> int:
        return self.patch * self.merge

    def tokens(self, size: PictureSize) -> tuple[int, int]:
        height, width = smart_resize(size.height, size.width, self.factor, self.least, self.most)
        patches = height * width // self.patch**2
        return patches // self.merge**2, patches

    def prepare(self, picture: Any) -> Arrays:
        height, width = smart_resize(picture.height, picture.width, self.factor, self.least, self.most)
        if (width, height) != picture.size:
            picture = picture.resize((width, height), resample=self.resample)
        planes = _planes(np.asarray(picture), self.table)  # (3, height, width)
        frames = np.broadcast_to(planes[None], (self.depth, *planes.shape))
        patches, grid = cut_patches(frames, self.patch, self.merge, self.depth)
        return {"pixel_values": patches, "image_grid_thw": grid}


def cut_patches(
    frames: npt.NDArray[np.float32], patch: int, merge: int, depth: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """(frames, 3, height, width) → ((patches, 3 x depth x patch x patch), (3,) grid of time, height, width).

    Patches that will be merged stand next to each other; frames must be a multiple of `depth`.
    """
    count, channels, height, width = frames.shape
    time, rows, columns = count // depth, height // patch, width // patch
    cut = frames.reshape(time, depth, channels, rows // merge, merge, patch, columns // merge, merge, patch)
    cut = cut.transpose(0, 3, 6, 4, 7, 2, 1, 5, 8)
    flat = np.ascontiguousarray(cut).reshape(time * rows * columns, channels * depth * patch * patch)
    return flat, np.array([time, rows, columns], np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class PatchedFrames:
    """Choose frames by rate, resize them into a budget, cut into patches → pixel_values_videos, video_grid_thw.

    fps: frames taken per second of video, between `fewest` and `most_frames`.  least, most: pixels per frame.
    total: pixels over all frames.  Source: qwen-vl-utils, `smart_nframes` and `fetch_video`.
    """

    table: Table
    fps: float = 1.0
    fewest: int = 4
    most_frames: int = 64
    least: int = 128 * 32 * 32
    most: int = 768 * 32 * 32
    total: float = 128_000 * 32 * 32 * 0.9
    listed_total: float = 10 * 768 * 32 * 32
    patch: int = 16
    merge: int = 2
    depth: int = 2

    def choose(self, size: ClipSize, listed: bool) -> list[int]:
        from ...media.video import even_indices

        if listed:
            return thin(size.frames, self.most_frames)
        most = min(self.most_frames, size.frames) // self.depth * self.depth
        wanted = min(max(size.frames / size.fps * self.fps, self.fewest), most, size.frames)
        count = max(int(wanted) // self.depth * self.depth, min(self.depth, size.frames))
        return [int(i) for i in even_indices(size.times, count)]

    def _frame_size(self, height: int, width: int, count: int, listed: bool) -> tuple[int, int]:
        """(height, width) of every frame; `count` is a multiple of `depth`."""
        factor = self.patch * self.merge
        if listed:  # the authors resize each listed frame once on its own, to twice the factor
            height, width = self._first_size(height, width)
        most = max(
            min(self.most, (self.listed_total if listed else self.total) / count * self.depth), int(self.least * 1.05)
        )
        return smart_resize(height, width, factor, self.least, most)

    def _first_size(self, height: int, width: int) -> tuple[int, int]:
        factor = 2 * self.patch * self.merge
        return smart_resize(height, width, factor, 4 * factor**2, 16384 * factor**2)

    def tokens(self, size: ClipSize, count: int, listed: bool) -> tuple[int, int, int]:
        time = -(-count // self.depth)
        height, width = self._frame_size(size.height, size.width, time * self.depth, listed)
        patches = height * width // self.patch**2
        return time, patches // self.merge**2, time * patches

    def stamps(self, size: ClipSize, indices: Sequence[int], listed: bool) -> list[float]:
        """The middle between the first and the last frame of each temporal patch; listed frames are 1/2 s apart."""
        times = [i / LISTED_FPS for i in range(len(indices))] if listed else [float(size.times[i]) for i in indices]
        while len(times) % self.depth:
            times.append(times[-1] if not listed else len(times) / LISTED_FPS)
        return [(times[i] + times[i + self.depth - 1]) / 2 for i in range(0, len(times), self.depth)]

    def prepare(self, frames: npt.NDArray[np.uint8], listed: bool) -> Arrays:
        if missing := -len(frames) % self.depth:
            frames = np.concatenate([frames, np.repeat(frames[-1:], missing, 0)])
        height, width = frames.shape[1:3]
        target = self._frame_size(height, width, len(frames), listed)
        if listed:
            frames = _resized_by_pillow(frames, self._first_size(height, width))
        resized = _resized_by_torch(frames, target)
        planes = np.stack([_planes(frame, self.table) for frame in resized])
        patches, grid = cut_patches(planes, self.patch, self.merge, self.depth)
        return {"pixel_values_videos": patches, "video_grid_thw": grid}

    def changed(self, overrides: Mapping[str, Any]) -> PatchedFrames:
        known = ("fps", "num_frames", "max_frames", "min_frames", "min_pixels", "max_pixels", "size", "total_pixels")
        unknown_overrides("video", overrides, known)
        least, most = _budget(
            {k: v for k, v in overrides.items() if "pixels" in k and k != "total_pixels"},
            self.least,
            self.most,
            "video",
        )
        for name in ("fps", "num_frames", "max_frames", "min_frames", "total_pixels"):
            value = overrides.get(name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0):
                raise UsageError(f"{name} must be a number above zero, got {value!r}")
        frames = overrides.get("num_frames")
        return replace(
            self,
            fps=float(overrides.get("fps", math.inf if frames else self.fps)),
            fewest=int(overrides.get("min_frames", self.fewest)),
            most_frames=int(frames or overrides.get("max_frames", self.most_frames)),
            least=least,
            most=most,
            total=float(overrides.get("total_pixels", self.total)),
            listed_total=float(overrides.get("total_pixels", self.listed_total)),
        )


def _resized_by_pillow(frames: npt.NDArray[np.uint8], target: tuple[int, int]) -> npt.NDArray[np.uint8]:
    from PIL import Image

    size = (target[1], target[0])
    return np.stack([np.asarray(Image.fromarray(frame).resize(size)) for frame in frames])


def _resized_by_torch(frames: npt.NDArray[np.uint8], target: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Bicubic with antialiasing, clamped and rounded to 8 bits, as torchvision resizes 8-bit tensors."""
    import torch
    from torch.nn import functional

    if frames.shape[1:3] == target:
        return frames
    pixels = torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2))).float()
    resized = functional.interpolate(pixels, target, mode="bicubic", antialias=True, align_corners=False)
    made: npt.NDArray[np.uint8] = resized.clamp_(0, 255).round_().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return made


def thin(count: int, most: int) -> list[int]:
    """All of `count` frames, or `most` of them from first to last by whole-number steps, as the authors do."""
    if count <= most:
        return list(range(count))
    return [int(i) for i in np.linspace(0, count - 1, most, dtype=int)]


# ---- overrides


def _picture_overrides(overrides: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: overrides[name] for name in names if overrides.get(name) is not None}


def _budget(overrides: Mapping[str, Any], least: int, most: int, section: str) -> tuple[int, int]:
    """min_pixels and max_pixels, or size={"shortest_edge", "longest_edge"}, which transformers uses for the same."""
    unknown_overrides(section, overrides, ("min_pixels", "max_pixels", "size"))
    size = overrides.get("size") or {}
    if not isinstance(size, Mapping):
        raise UsageError(f'size is {{"shortest_edge": pixels, "longest_edge": pixels}} for this model, got {size!r}')
    unknown_overrides(f"{section} size", size, ("shortest_edge", "longest_edge"))
    new_least = overrides.get("min_pixels", size.get("shortest_edge"))
    new_most = overrides.get("max_pixels", size.get("longest_edge"))
    for name, value in (("min_pixels", new_least), ("max_pixels", new_most)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 1):
            raise UsageError(f"{name} must be a number of pixels above zero, got {value!r}")
    if new_least is not None and new_most is not None and new_least > new_most:
        raise UsageError(f"min_pixels={new_least} is above max_pixels={new_most}")
    low = int(new_least) if new_least is not None else least
    high = int(new_most) if new_most is not None else most
    return (min(low, high), high) if new_least is None else (low, max(low, high))


def unknown_overrides(section: str, overrides: Mapping[str, Any], known: tuple[str, ...]) -> None:
    unknown = sorted(set(overrides) - set(known))
    if unknown:
        raise UsageError(
            f"{section} options {unknown} are not known to this model; "
            + (f"known: {', '.join(known)}" if known else "it has none")
        )
