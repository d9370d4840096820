"""An architecture as data: what a model does with each kind of item, and which named policies prepare it.

Knows: the shape of a recipe. Does not know: any family (architectures/), how policies work (pixels.py, waves.py,
messages.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...errors import UnsupportedInput
from ...inputs.types import Item, Route
from ..base import parted

if TYPE_CHECKING:
    from .frames import ClipPolicy
    from .messages import Chat
    from .pixels import ImagePolicy
    from .waves import AudioPolicy


@dataclass(frozen=True, slots=True)
class Call:
    """method: of the transformers model. output: the path to the wanted tensor in what it returns; () is the whole.

    feature: the feature name it becomes.  last: whether only the last position is asked for, so that padding stands on
    the left.
    """

    method: str = "forward"
    output: tuple[str | int, ...] = ("last_hidden_state",)
    feature: str = "token_embeddings"
    last: bool = False


@dataclass(frozen=True, slots=True)
class Tower:
    """The part of a model that sees one modality alone, whose outputs can be handed back in as `mm_encoder_outputs`.

    method: of the transformers model.  values, grid: names of its arguments, grid None where it has none.  mask: the
    argument that says which frames are sound, where sounds are padded to one length.  lengths, beside: what positions
    are counted by beside grids, under the names of `get_rope_index`: a sound's frames, further prepared values.
    """

    method: str
    values: str
    grid: str | None = None
    mask: str | None = None
    lengths: str | None = None
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """What policies are built from: the configurations that lie in a model folder, and the caller's overrides.

    config: config.json.  image, video, audio: the processor's own sections.  chat_template: its text or None.
    overrides: the constructor's processor_kwargs.
    """

    config: Mapping[str, Any]
    image: Mapping[str, Any] = field(default_factory=dict)
    video: Mapping[str, Any] = field(default_factory=dict)
    audio: Mapping[str, Any] = field(default_factory=dict)
    chat_template: str | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policies:
    """Makers of the policies that a family uses, each called with the folder's facts.

    text_limit: tokens read when the folder does not say.  position_offset: positions that the position table spends
    before the first token (RoBERTa: 2).  text_padding: every text is padded to this length; None pads to the longest
    of a batch.  text_mask: False leaves the attention mask away, where a model was trained without one.
    """

    image: Callable[[FolderFacts], ImagePolicy] | None = None
    video: Callable[[FolderFacts], ClipPolicy] | None = None
    audio: Callable[[FolderFacts], AudioPolicy] | None = None
    chat: Callable[[FolderFacts], Chat] | None = None
    text_limit: int | None = None
    position_offset: int = 0
    text_padding: int | None = None
    text_mask: bool = True


@dataclass(frozen=True, slots=True)
class ScoreHead:
    """The layers that make a score of an item's vector, from the weights of the folder itself.

    layers: names of linear layers in order; between them stands ReLU.  shift: added to the score.
    """

    layers: tuple[str, ...]
    shift: float = 0.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """routes: what is called for each route; "pair" is two texts that the tokenizer puts together.

    auto_class: the transformers class that builds the model.  towers: by modality, where media can be seen apart.
    embeds: outputs of towers are put in the place of placeholders before `forward`, which takes none of some tower.
    bare_modules: modules after the transformer where the folder names none ("mean" or "lasttoken" pooling,
    "normalize").  head: of a reranker whose folder names no modules.  processor: values of the picture processor that
    the authors set in their code and not in the folder; a saved copy says them, and its token limit.  control: words of
    the vocabulary that the template writes as control tokens, and the folder does not name as such.
    """

    routes: Mapping[Route, Call]
    policies: Policies = Policies()
    auto_class: str = "AutoModel"
    towers: Mapping[str, Tower] = field(default_factory=dict)
    embeds: bool = False
    bare_modules: tuple[str, ...] = ("mean",)
    head: ScoreHead | None = None
    processor: Mapping[str, Any] = field(default_factory=dict)
    control: tuple[str, ...] = ()
    note: str | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that some route reads, in a fixed order."""
        read = {m for route in self.routes for m in ((route,) if isinstance(route, str) else route)}
        if "pair" in read:
            read.add("text")
        if "message" in read:
            read |= {m for m, maker in self._makers().items() if maker is not None}
        return tuple(m for m in ("text", "image", "audio", "video", "message") if m in read)

    def _makers(self) -> dict[str, Any]:
        p = self.policies
        return {"text": True, "image": p.image, "audio": p.audio, "video": p.video}

    def route(self, item: Item) -> Route:
        """Of the item and the model alone, never of its neighbours. Raises UnsupportedModality, UnsupportedInput."""
        if "message" in self.routes:
            return "message"
        if item.is_pair:
            return self._pair_route(item)
        present = item.modalities
        route: Route = present[0] if len(present) == 1 else present
        if route in self.routes and (isinstance(route, tuple) or len(item.parts) == 1):
            return route
        raise parted(item, tuple(self.routes))

    def with_messages(self) -> Recipe:
        """Everything through the chat template, as a folder may say."""
        if "message" in self.routes or self.policies.chat is None:
            return self
        return replace(self, routes={"message": self.routes["text"]})

    def _pair_route(self, item: Item) -> Route:
        if "pair" not in self.routes:
            raise UnsupportedInput("this model does not read pairs", source="pair")
        if len(item.parts) != 2 or item.modalities != ("text",):
            raise UnsupportedInput(
                "each side of a pair is one text for this model",
                source=", ".join(part.modality for part in item.parts),
                hint="Join the texts of a side, or take a reranker that reads chat messages.",
            )
        return "pair"
