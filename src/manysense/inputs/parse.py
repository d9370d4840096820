"""Any accepted value → Item.

Knows: every form an input can have, and what each means for a model that reads given modalities. Opens no file and
imports no torch; where only bytes can tell, the `peek` that is handed in looks at them.
Does not know: how media are opened (media/), what a model does with an item (modules/).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import AmbiguousInput, ItemError, UnsupportedInput, UnsupportedModality
from .arrays import array_modality, describe_array, is_array
from .forms import form_of, is_text_file, suffix_kind
from .shape import is_message, is_number, is_sound_pair
from .types import MODALITIES, PART_ORDER, Audio, Image, Item, Modality, Part, Text, Turn, Video

Peek = Callable[[Any], "Modality | None"]

_WRAPPERS: dict[type, Modality] = {Text: "text", Image: "image", Audio: "audio", Video: "video"}
_CONTENT_KEYS = {"image_url": "image", "audio_url": "audio", "video_url": "video", "input_audio": "audio"}


@dataclass(frozen=True, slots=True)
class Parser:
    """Parse for one model.

    readable: the modalities it reads.  peek: looks at bytes.  modality: what plain inputs are, None to decide by form.
    chat: whether it reads chat messages.
    """

    readable: Collection[Modality]
    peek: Peek
    modality: Modality | None = None
    chat: bool = False

    def __call__(self, value: Any) -> Item:
        """Raises UnsupportedInput, AmbiguousInput or UnsupportedModality, with `source`, without `index`."""
        if isinstance(value, Item):
            return value
        if is_message(value):
            return self._conversation([value])
        if isinstance(value, (list, tuple)) and value and is_message(value[0]):
            return self._conversation(value)
        if isinstance(value, Mapping) and not _is_medium_mapping(value):
            return Item((Turn("user", self._parts_of(value)),))
        return Item((Turn("user", (self.part(value, self.modality),)),))

    # ---- one part

    def part(self, value: Any, modality: Modality | None) -> Part:
        """One value as one part, of a modality that is given or found by form."""
        part = self._given(value, modality) if modality is not None else self._found(value)
        if part.modality not in self.readable:
            shown = _short(value.value if type(value) in _WRAPPERS else value)
            raise UnsupportedModality(
                f"{shown} is {part.modality}, and this model reads {', '.join(sorted(self.readable))}",
                source=shown,
                hint="Embed the words themselves with Text(…)."
                if isinstance(value, str) and modality is None
                else None,
            )
        return part

    def _given(self, value: Any, modality: Modality) -> Part:
        for wrapper, own in _WRAPPERS.items():
            if isinstance(value, wrapper):
                if own != modality:
                    raise UnsupportedInput(f"{wrapper.__name__}(…) where {modality} is expected", source=_short(value))
                return _unwrap(value, own)
        if modality == "text":
            return _text_part(value)
        if not _holds_medium(value):
            raise UnsupportedInput(f"{modality} is {_short(value)}", source=_short(value), hint=_hint_for(value))
        return _medium_part(value, modality)

    def _found(self, value: Any) -> Part:
        if type(value) in _WRAPPERS:
            return _unwrap(value, _WRAPPERS[type(value)])
        if isinstance(value, str):
            return self._string(str.__str__(value))
        if isinstance(value, os.PathLike):
            return self._path(value)
        if isinstance(value, (bytes, bytearray, memoryview)) or hasattr(value, "read"):
            return Part(self._peeked(value, "its bytes"), value)
        if is_sound_pair(value):
            return _medium_part(value, "audio")
        if is_array(value):
            return _medium_part(value, array_modality(value, self.readable))
        if isinstance(value, Mapping):
            return self._medium_mapping(value)
        modality = _object_modality(value)
        if modality is None:
            raise UnsupportedInput(
                f"no rule for {_short(value)}",
                source=_short(value),
                hint=_hint_for(value)
                or "Accepted: text, path, URL, bytes, file, PIL image, numpy or torch array, (samples, rate), dict, "
                "chat messages; see docs/inputs.md.",
            )
        return _medium_part(value, modality)

    def _string(self, string: str) -> Part:
        if set(self.readable) == {"text"}:
            return Part("text", string)
        form = form_of(string)
        if form.kind == "text" or form.modality == "text":
            return Part("text", string)
        if form.kind == "base64":
            return Part(self.peek(string) or "text", string)
        if form.modality is not None:
            return Part(form.modality, string.strip())
        if form.kind == "data":
            return Part(self._peeked(string, "its bytes"), string)
        raise AmbiguousInput(
            f"{_short(string)} is a {form.kind.replace('-', ' ')} whose form does not say what it holds",
            source=_short(string),
            hint="Say it: Image(…), Audio(…) or Video(…) to open it, Text(…) to embed the words themselves.",
        )

    def _path(self, path: os.PathLike[Any]) -> Part:
        name = os.fsdecode(path)
        if is_text_file(name):
            return Part("text", path)
        modality = suffix_kind(name)
        return Part(modality if modality is not None else self._peeked(path, "neither its suffix nor its bytes"), path)

    def _peeked(self, value: Any, what: str) -> Modality:
        modality = self.peek(value)
        if modality is None:
            raise UnsupportedInput(
                f"{_short(value)} is no known picture, sound or video by {what}",
                source=_short(value),
                hint="Text is passed as str: bytes.decode() or path.read_text().",
            )
        return modality

    # ---- mappings and chats

    def _medium_mapping(self, value: Mapping[str, Any]) -> Part:
        if "array" in value:
            if value.get("sampling_rate") is not None:
                return _medium_part(value, "audio")
            if "video_metadata" in value:
                return _medium_part(value, "video")
            raise AmbiguousInput(
                'a dict with "array" and neither "sampling_rate" nor "video_metadata"',
                source=_short(value),
                hint='Sound: {"array": samples, "sampling_rate": 16000}. A picture: the array itself.',
            )
        return Part(self._peeked(value, "its bytes"), value)

    def _parts_of(self, value: Mapping[str, Any]) -> tuple[Part, ...]:
        if not value:
            raise UnsupportedInput("an empty dict", source="{}", hint=_DICT_HINT)
        unknown = [key for key in value if key not in MODALITIES]
        if unknown:
            raise UnsupportedInput(f"unknown keys {unknown} in a dict", source=_short(value), hint=_DICT_HINT)
        parts: list[Part] = []
        for modality in PART_ORDER:
            if modality in value:
                parts += [self.part(one, modality) for one in _several(value[modality], modality)]
        return tuple(parts)

    def _conversation(self, messages: Any) -> Item:
        if not self.chat:
            raise UnsupportedModality(
                "this model does not read chat messages",
                source=_short(messages),
                hint="Pass the text itself, or a dict of modalities.",
            )
        return Item(tuple(self._turn(message) for message in messages), chat=True)

    def _turn(self, message: Any) -> Turn:
        if not is_message(message):
            raise UnsupportedInput(
                f"{_short(message)} in a conversation",
                source=_short(message),
                hint='A message has "role" and "content".',
            )
        role, content = message["role"], message["content"]
        if not isinstance(role, str):
            raise UnsupportedInput(f"role {role!r} of a chat message", source=_short(message))
        if isinstance(content, str):
            return Turn(role, (self.part(content, "text"),))
        if isinstance(content, Mapping):
            content = [content]
        if not isinstance(content, (list, tuple)):
            raise UnsupportedInput(
                f"content {_short(content)} of a chat message", source=_short(message), hint=_CHAT_HINT
            )
        return Turn(role, tuple(self._content_part(piece) for piece in content))

    def _content_part(self, piece: Any) -> Part:
        if isinstance(piece, str):
            return self.part(piece, "text")
        if not isinstance(piece, Mapping):
            raise UnsupportedInput(
                f"{_short(piece)} in the content of a chat message", source=_short(piece), hint=_CHAT_HINT
            )
        kind = piece.get("type")
        if kind is None:
            kind = next((key for key in (*MODALITIES, *_CONTENT_KEYS) if key in piece), None)
        modality = _CONTENT_KEYS.get(str(kind), kind)
        others = sorted(key for key in (*MODALITIES, *_CONTENT_KEYS) if key in piece and key not in (kind, modality))
        if others:
            raise UnsupportedInput(
                f"one piece of content holds {kind} and {', '.join(others)}",
                source=_short(piece),
                hint="Each piece holds one thing: " + _CHAT_HINT,
            )
        if modality not in MODALITIES:
            raise UnsupportedInput(f"content of type {kind!r} in a chat message", source=_short(piece), hint=_CHAT_HINT)
        value = next(
            (piece[key] for key in (str(kind), modality, "url", "path", "data") if piece.get(key) is not None), None
        )
        if isinstance(value, Mapping) and ("url" in value or "data" in value):  # {"url", "detail"}, {"data", "format"}
            value = value.get("url", value.get("data"))
        return self.part(value, modality)


_DICT_HINT = 'A dict of modalities has the keys "text", "image", "audio", "video", each with one value or a list.'
_CHAT_HINT = 'Content is a string or a list of {"type": "text", "text": …}, {"type": "image", "image": …} and the like.'


def _unwrap(value: Any, modality: Modality) -> Part:
    if modality == "text":
        return _text_part(value.value)
    if not _holds_medium(value.value):
        shown = f"{type(value).__name__}({_short(value.value)})"
        raise UnsupportedInput(f"{shown} holds no {modality}", source=shown, hint=_hint_for(value.value))
    fact = value.sampling_rate if isinstance(value, Audio) else value.fps if isinstance(value, Video) else None
    if fact is not None and isinstance(value.value, (str, bytes, bytearray, memoryview, os.PathLike)):
        raise UnsupportedInput(
            f"{type(value).__name__}({_short(value.value)}, {fact!r}): a file carries its own rate",
            source=_short(value.value),
            hint='Rates go with samples and frames. To take more frames: processing_kwargs={"video": {"fps": …}}.',
        )
    if isinstance(value, Audio) and value.sampling_rate is not None:
        return Part("audio", value.value, {"sampling_rate": _rate(value.sampling_rate)})
    if isinstance(value, Video) and value.fps is not None:
        return Part("video", value.value, {"fps": _fps(value.fps)})
    return _medium_part(value.value, modality)


def _text_part(value: Any) -> Part:
    if isinstance(value, str):
        return Part("text", str.__str__(value))
    if isinstance(value, os.PathLike):
        return Part("text", value)
    raise UnsupportedInput(f"text is {_short(value)}", source=_short(value), hint=_hint_for(value) or "Pass a str.")


def _medium_part(value: Any, modality: Modality) -> Part:
    """A part whose facts (rate, fps, metadata) are lifted out of the value."""
    if modality == "audio" and is_sound_pair(value):
        return Part("audio", value[0], {"sampling_rate": _rate(value[1])})
    if isinstance(value, Mapping) and "array" in value:
        if modality == "audio":
            rate = value.get("sampling_rate")
            return Part("audio", value["array"], {} if rate is None else {"sampling_rate": _rate(rate)})
        metadata = value.get("video_metadata") or {}
        fps = metadata.get("fps") if isinstance(metadata, Mapping) else getattr(metadata, "fps", None)
        return Part(modality, value["array"], {} if fps is None else {"fps": _fps(fps)})
    return Part(modality, value)


def _holds_medium(value: Any) -> bool:
    """Whether this can be a picture, a sound or a video at all, before it is opened."""
    if isinstance(value, Mapping):
        return _is_medium_mapping(value)
    if isinstance(value, (str, bytes, bytearray, memoryview, os.PathLike, list, tuple)) or hasattr(value, "read"):
        return True
    return is_array(value) or _object_modality(value) is not None


def _rate(value: Any) -> int:
    if not is_number(value) or isinstance(value, bool) or not (1 <= value <= 768_000 and value == int(value)):
        raise UnsupportedInput(
            f"sampling rate {value!r}", source=repr(value), hint="A whole number of Hz, such as 16000."
        )
    return int(value)


def _fps(value: Any) -> float:
    if not is_number(value) or isinstance(value, bool) or not 0 < value < 100_000:
        raise UnsupportedInput(
            f"{value!r} frames per second", source=repr(value), hint="A number above zero, such as 25."
        )
    return float(value)


def _several(value: Any, modality: Modality) -> list[Any]:
    """The items of one modality in a dict: a list is several, save frames of a video and samples of a sound."""
    if not isinstance(value, (list, tuple)) or is_sound_pair(value):
        return [value]
    if not value:
        raise UnsupportedInput(f"an empty list of {modality}", source="[]", hint=_DICT_HINT)
    if modality == "audio" and is_number(value[0]):
        return [value]
    if (
        modality == "video"
        and not isinstance(value[0], (str, bytes, os.PathLike, Mapping, Video))
        and not _is_frames(value[0])
    ):
        return [list(value)]
    return list(value)


def _is_frames(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or (is_array(value) and len(value.shape) >= 4)


def _is_medium_mapping(value: Mapping[str, Any]) -> bool:
    return "array" in value or ("bytes" in value and set(value) <= {"bytes", "path"}) or set(value) == {"path"}


def _object_modality(value: Any) -> Modality | None:
    """PIL pictures and torchcodec decoders, by the names of their types."""
    for kind in type(value).__mro__:
        if kind.__module__ == "PIL.Image" and kind.__name__ == "Image":
            return "image"
        if kind.__name__ == "AudioDecoder" and hasattr(value, "get_all_samples"):
            return "audio"
        if kind.__name__ == "VideoDecoder" and hasattr(value, "get_frames_at"):
            return "video"
    return None


def _hint_for(value: Any) -> str | None:
    if (
        value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)
    ):  # None, or a missing value of a table (NaN)
        return 'A missing value has no vector: drop it, or set broken items aside with on_error="skip".'
    if isinstance(value, (bool, int, float)):
        return f'A number has no modality; as text: "{value}".'
    if isinstance(value, (list, tuple)):
        return (
            "A list inside the list: a pair of texts is for a reranker, frames are Video([...]), several parts a dict, "
            "samples (array, rate)."
        )
    if isinstance(value, (set, frozenset)):
        return "A set has no order: pass a list."
    return None


def _short(value: Any) -> str:
    """`value` in at most 80 characters, for a message; never its content when that is bytes."""
    try:
        if isinstance(value, str):
            text = repr(value if len(value) <= 72 else value[:69] + "…")
        elif isinstance(value, (bytes, bytearray, memoryview)):
            text = f"{type(value).__name__} of {len(value)}"
        elif is_array(value):
            text = describe_array(value)
        elif isinstance(value, os.PathLike):
            text = repr(os.fsdecode(value))
        elif value is None or isinstance(value, (bool, int, float)):
            text = f"{type(value).__name__} {value!r}" if value is not None else "None"
        else:
            text = f"{type(value).__name__} {value!r}"
    except Exception:  # a caller's object with a broken repr must not hide the real error
        text = type(value).__name__
    return text if len(text) <= 80 else text[:79] + "…"


def place(error: ItemError, index: int | None, total: int | None) -> ItemError:
    """The error with its position among the caller's inputs."""
    error.index, error.total = index, total
    return error
