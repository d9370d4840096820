"""Pictures → the numbers a vision tower reads.

Knows: the two ways of the field: one fixed square (CLIP, SigLIP, ViT) and as many patches as a pixel budget allows
(Qwen-VL). Does not know: models, files, videos (frames.py).

Values equal those of transformers' Pillow image processors: resampling by Pillow on 8-bit pixels, then rescaling and
normalising, which for 8-bit input is one table look-up per channel.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import MediaError, UsageError
from ...media.types import PictureSize
from .recipe import FolderFacts

Arrays = dict[str, npt.NDArray[Any]]
Table = npt.NDArray[np.float32]

MOST_RATIO = 200


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


def planes(pixels: npt.NDArray[np.uint8], table: Table) -> npt.NDArray[np.float32]:
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
        made = {**facts.image, **picture_overrides(facts.overrides, _SQUARE_OPTIONS)}
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
        return {"pixel_values": planes(_center_crop(pixels, self.crop) if self.crop else pixels, self.table)}

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


def smart_resize(
    height: int, width: int, factor: int, least: float, most: float, *, zero: bool = False
) -> tuple[int, int]:
    """(height, width) divisible by `factor`, within `least`…`most` pixels, of nearly the same shape.

    zero: a side below half of `factor` first rounds to nothing, so that the whole is found too small.
    Raises MediaError for sides of more than 200 to 1.  Source: `smart_resize` of qwen-vl-utils; with `zero` that of
    transformers.
    """
    if max(height, width) / min(height, width) > MOST_RATIO:
        raise MediaError(
            f"a picture of {width}x{height} is longer than {MOST_RATIO} times its width, which this model cannot read",
            source=f"{width}x{height}",
            hint="Cut it into parts.",
        )
    shortest = 0 if zero else factor
    h = max(shortest, round(height / factor) * factor)
    w = max(shortest, round(width / factor) * factor)
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
    first: pixels of an earlier fit, where the authors resize twice.  zero: of smart_resize.
    Source: Qwen2-VL, Qwen3-VL; sizes as in qwen-vl-utils.
    """

    table: Table
    least: int
    most: int
    patch: int = 16
    merge: int = 2
    depth: int = 2
    resample: int = 3
    first: tuple[int, int] | None = None
    zero: bool = False

    @classmethod
    def of_folder(cls, facts: FolderFacts, *, least: int, most: int) -> Patches:
        """least, most: the budget where the folder says none."""
        said = picture_overrides(facts.image, ("min_pixels", "max_pixels", "size"))
        first = facts.image.get("first_fit")
        made = replace(cls.of(facts, least=least, most=most), first=tuple(first) if first else None, zero=True)
        return made.changed(said).changed(picture_overrides(facts.overrides, ("min_pixels", "max_pixels", "size")))

    @classmethod
    def of(cls, facts: FolderFacts, *, least: int, most: int) -> Patches:
        """least, most: the authors' own budget, which the caller's min_pixels and max_pixels replace."""
        given = picture_overrides(facts.overrides, ("min_pixels", "max_pixels", "size"))
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
        least, most = budget(overrides, self.least, self.most, "image")
        return replace(self, least=least, most=most)

    @property
    def factor(self) -> int:
        return self.patch * self.merge

    def tokens(self, size: PictureSize) -> tuple[int, int]:
        height, width = self._fits(size.height, size.width)[-1]
        patches = height * width // self.patch**2
        return patches // self.merge**2, patches

    def _fits(self, height: int, width: int) -> list[tuple[int, int]]:
        """(height, width) of one resizing after the other."""
        made = [smart_resize(height, width, self.factor, *self.first)] if self.first is not None else []
        height, width = made[-1] if made else (height, width)
        return [*made, smart_resize(height, width, self.factor, self.least, self.most, zero=self.zero)]

    def prepare(self, picture: Any) -> Arrays:
        for height, width in self._fits(picture.height, picture.width):
            if (width, height) != picture.size:
                picture = picture.resize((width, height), resample=self.resample)
        shown = planes(np.asarray(picture), self.table)  # (3, height, width)
        frames = np.broadcast_to(shown[None], (self.depth, *shown.shape))
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


# ---- overrides


def picture_overrides(overrides: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: overrides[name] for name in names if overrides.get(name) is not None}


def budget(overrides: Mapping[str, Any], least: int, most: int, section: str) -> tuple[int, int]:
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


def with_values(values: Mapping[str, Any], facts: FolderFacts, files: dict[str, bytes]) -> FolderFacts:
    """The facts with values of the picture processor that a family sets itself; `files`, those of the folder that are
    saved again, say them too."""
    if not values:
        return facts
    name, whole = "preprocessor_config.json", "processor_config.json"
    outer = json.loads(files.get(whole, b"{}"))
    if outer.get("image_processor"):
        outer["image_processor"].update(values)
        files[whole] = _json(outer)
    else:
        files[name] = _json({**json.loads(files.get(name, b"{}")), **values})
    return replace(facts, image={**facts.image, **values})


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
