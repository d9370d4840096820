"""The Transformer module: any transformers model behind the seam `measure → prepare → collate → forward`.

Knows: how a recipe's policies are put to work for one item and for one batch. Does not know: any family (that is the
recipe's data), how media are opened (the reader), when things run (batching/).
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from ...errors import ItemError, MediaError, ModelError, UnsupportedModality
from ...inputs.types import Item, Part, Route
from ...media.text import encodable
from ...settings import positive
from ...warn import warn
from ..base import Features, InputModule, Measured, write_json
from ..tokens import Tokens
from . import stored, tasks
from .architectures import recipe_for
from .collate import SEQUENCES, collate, joined
from .folder import ModelFolder, save_network
from .media import medium_of, open_medium, plan_media
from .media_towers import MediaCache, Medium, Seen, entered, see, stamp_of
from .messages import Renderer
from .packing import can_pack, packable, packed, share
from .pixels import with_values
from .quiet import quiet
from .recipe import Call, FolderFacts, Recipe
from .templates import carries_pairs
from .texts import Reading, measure_pairs, measure_texts

if TYPE_CHECKING:
    from ...media.reader import Reader
    from ...settings import Settings

_FORWARD_NAMES = (
    *(*SEQUENCES, "position_ids", "logits_to_keep", "mm_encoder_outputs"),
    *("pixel_values", "image_grid_thw", "pixel_values_videos", "video_grid_thw"),
    *("input_features", "is_longer", "feature_attention_mask", "second_per_grid_ts", "inputs_embeds"),
)


class Transformer(InputModule):
    """A transformers model with its tokenizer and processor values.

    model_name_or_path: a folder or a Hub name.  model_kwargs, processor_kwargs, config_kwargs: handed to
    transformers (dtype, attn_implementation …; min_pixels, max_pixels …).  max_seq_length: token limit; None for the
    folder's own.  query_length, document_length: the limit in encode_query and encode_document, where it is another.
    do_lower_case: lower-case texts first.  transformer_task: what it makes: "feature-extraction" hidden states,
    "sequence-classification" scores, the others the logits of the next token.  processing_kwargs: options of each call
    by section, below its own.  modality_config, module_output_name: which method of the network is called for a
    modality, which of its outputs is taken, and the feature that it becomes.  tokenizer_name_or_path: where tokenizer
    and processor are, if elsewhere.  Old names are taken too: model_args, tokenizer_args, config_args, cache_dir.
    Raises ModelNotFound, ModelError, UntrustedCode.
    """

    config_file_name: ClassVar[str] = "sentence_bert_config.json"

    def __init__(
        self,
        model_name_or_path: str | Path | ModelFolder,
        *,
        max_seq_length: int | None = None,
        do_lower_case: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        processor_kwargs: Mapping[str, Any] | None = None,
        config_kwargs: Mapping[str, Any] | None = None,
        transformer_task: str = "feature-extraction",
        processing_kwargs: Mapping[str, Any] | None = None,
        modality_config: Mapping[str, Any] | None = None,
        module_output_name: str | None = None,
        query_length: int | None = None,
        document_length: int | None = None,
        tokenizer_name_or_path: str | Path | None = None,
        **further: Any,
    ) -> None:
        super().__init__()
        given = tasks.renamed(
            further, model_kwargs=model_kwargs, processor_kwargs=processor_kwargs, config_kwargs=config_kwargs
        )
        folder = stored.opened(model_name_or_path, tokenizer_name_or_path, further.pop("cache_dir", None), given)
        tasks.refuse(transformer_task, further)
        config = folder.config()
        new_head = transformer_task == "sequence-classification" and tasks.give_head(config, folder.config_kwargs)
        facts, self._files = folder.facts(config), folder.files()
        task = "feature-extraction" if module_output_name == "token_embeddings" else transformer_task
        self.recipe: Recipe = recipe_for(facts.config, task)
        facts = with_values(self.recipe.processor, facts, self._files)
        if "message" in (modality_config or {}):
            self.recipe = self.recipe.with_messages()
        usual, self.recipe = self.recipe, stored.with_calls(self.recipe, modality_config, module_output_name)
        self._own_calls = self.recipe.routes != usual.routes
        self.model: Any = folder.model(config, self.recipe.auto_class, new_head=new_head)
        tasks.check_methods(self.model, self.recipe)
        self.tokenizer: Any = folder.tokenizer()
        if self.tokenizer is None:
            raise ModelError("the model folder has no tokenizer")
        self.tokenizer.add_tokens(list(self.recipe.control), special_tokens=True)
        self.do_lower_case = do_lower_case
        self.transformer_task = transformer_task
        self.processing_kwargs = tasks.with_overrides(processing_kwargs or {}, facts.overrides, self.recipe.policies)
        self._stored: dict[str, Any] | None = (
            {"modality_config": modality_config, "module_output_name": module_output_name} if modality_config else None
        )
        asked = folder.processor_kwargs.get("model_max_length") or max_seq_length
        self._tokenizer_length = self.tokenizer.model_max_length
        self._positions = tasks.position_limit(facts, self.recipe.policies.position_offset)
        self.max_seq_length = asked or tasks.own_limit(self.tokenizer, self.recipe.policies, self._positions)
        self._given_length = asked is not None or bool(self.recipe.processor)
        self.task_lengths = {"query": query_length, "document": document_length}
        self._build_policies(facts)
        self._parameters_of: dict[str, tuple[Any, frozenset[str]]] = {}
        self.media_cache = MediaCache()
        self.fast = not self._own_calls
        self._task = task
        self._apart = (
            bool(self.recipe.towers) and "mm_encoder_outputs" in inspect.signature(self.model.forward).parameters
        )

    def _build_policies(self, facts: FolderFacts) -> None:
        policies = self.recipe.policies
        self.image_policy = policies.image(facts) if policies.image else None
        self.video_policy = policies.video(facts) if policies.video else None
        self.audio_policy = policies.audio(facts) if policies.audio else None
        tasks.check_processing(self.processing_kwargs, self._policies())
        self._chat = None
        if "message" in self.recipe.routes:
            said = (self._stored or {}).get("modality_config")
            chat = self._chat = tasks.chat_of(self.recipe, facts, self.processing_kwargs, said)
            if self._files.get("chat_template.jinja") != chat.template.encode():  # the caller's, or of the family's
                self._files["chat_template.jinja"] = chat.template.encode()  # reranker: what is saved must say it
                self.tokenizer.chat_template = chat.template
        self._reading = Reading(self.tokenizer, self.do_lower_case, self._chat)

    def _policies(self) -> dict[str, Any]:
        return {"image": self.image_policy, "video": self.video_policy, "audio": self.audio_policy}

    def _read(self) -> Reading:
        """What is made of the tokenizer: made anew where it is another one, or words were added to it."""
        if not self._reading.fits(self.tokenizer):
            self._reading = Reading(self.tokenizer, self.do_lower_case, self._chat)
        return self._reading

    @property
    def _tokens(self) -> Tokens:
        return self._read().tokens

    @property
    def _renderer(self) -> Renderer | None:
        return self._read().renderer

    def check_pairs(self) -> None:
        """Raise ModelError where a query and a document cannot be put to this model."""
        if self._renderer is not None and not carries_pairs(self._renderer.chat.template):
            raise ModelError(
                'the chat template of this model renders no "query" and no "document", so it cannot take pairs\n'
                '  Give one that does: processor_kwargs={"chat_template": "…"}.'
            )

    @property
    def max_seq_length(self) -> int | None:
        """Tokens read of a text. More than the position table holds is cut to that, with a warning.

        What is set later as the tokenizer's `model_max_length` counts as well.
        """
        if self.tokenizer.model_max_length != self._tokenizer_length:
            self._tokenizer_length, self._given_length = self.tokenizer.model_max_length, True
            self._max_seq_length = tasks.own_limit(self.tokenizer, self.recipe.policies, self._positions)
        return self._max_seq_length

    @max_seq_length.setter
    def max_seq_length(self, value: int | None) -> None:
        if value is not None:
            positive("max_seq_length", value)
        if self._positions is not None and (value is None or value > self._positions):
            if value is not None:
                warn(
                    f"max_seq_length={value} is more than the {self._positions} positions of this model, which it reads"
                )
            value = self._positions
        self._max_seq_length, self._given_length = value, True

    # ---- what users of the known library look at

    @property
    def auto_model(self) -> Any:
        """Old name of `model`."""
        return self.model

    @property
    def config(self) -> Any:
        return self.model.config

    @property
    def processor(self) -> Any:
        """The tokenizer; media are prepared by the policies of the recipe."""
        return self.tokenizer

    @property
    def modalities(self) -> Sequence[str]:  # type: ignore[override]
        return self.recipe.modalities

    def get_embedding_dimension(self) -> int | None:
        text = getattr(self.config, "text_config", self.config)
        if "message" not in self.recipe.routes and getattr(self.config, "projection_dim", None):
            return int(self.config.projection_dim)
        return getattr(text, "hidden_size", None)

    get_word_embedding_dimension = get_sentence_embedding_dimension = get_embedding_dimension

    # ---- measure

    def measure(self, items: Sequence[Item], reader: Reader, settings: Settings) -> list[Measured | ItemError]:
        measured: list[Measured | ItemError | None] = [None] * len(items)
        texts: list[int] = []
        pairs: list[int] = []
        for i, item in enumerate(items):
            try:
                route = self.recipe.route(item)
                if route in ("text", "pair"):
                    (texts if route == "text" else pairs).append(i)
                else:
                    measured[i] = self._measure_one(item, route, reader, settings)
            except ItemError as error:
                measured[i] = error
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                told = MediaError(f"it cannot be measured: {type(error).__name__}: {error}")
                told.__cause__ = error
                measured[i] = told
        read, prompt, limit = self._read(), encodable(settings.prompt or ""), self._limit(settings)
        chosen, padding = [items[i] for i in texts], self.recipe.policies.text_padding
        if texts:
            for i, made in zip(texts, measure_texts(chosen, reader, read.tokens, prompt, limit, padding, read.left)):
                measured[i] = made
        chosen, typed = [items[i] for i in pairs], "token_type_ids" in self.tokenizer.model_input_names
        if pairs:
            both = measure_pairs(chosen, reader, read.tokens, read.pairs, prompt, limit, typed, read.left)
            for i, made in zip(pairs, both):
                measured[i] = made
        assert all(m is not None for m in measured)
        if settings.keep_media and self.packs():
            share(items, measured, reader)
        return measured  # type: ignore[return-value]

    def check(self, settings: Settings) -> None:
        """Before any work: raise UsageError for per-call options that this model does not know."""
        tasks.check_call(settings, self._policies())

    def _limit(self, settings: Settings) -> int | None:
        text = tasks.options(self.processing_kwargs, settings, "text")
        asked = text.get("max_length") or self.task_lengths.get(settings.task or "")
        given = asked or settings.max_length or self.max_seq_length
        if text.get("truncation", True) in (False, "do_not_truncate"):
            given = self._positions
        return min(int(given), self._positions or int(given)) if given else None

    def _measure_one(self, item: Item, route: Route, reader: Reader, settings: Settings) -> Measured:
        if route == "message":
            return self._measure_chat(item, reader, settings)
        (part,) = item.parts
        policy = self._policy_of(part, settings)
        if part.modality == "image":
            tokens, _ = policy.tokens(reader.picture_size(part))
            return Measured(
                route, tokens, (part, policy), nbytes=12 * policy.patch**2 * tokens, group=route, opens=True
            )
        if part.modality == "audio":
            seconds = reader.sound_seconds(part, policy.rate)
            long = policy.window is not None and seconds > policy.window
            tokens = policy.tokens(seconds)
            return Measured(
                route,
                tokens,
                (part, policy),
                nbytes=int(seconds * policy.rate * 4) + 1024 * tokens,
                cut=(round(seconds, 3), policy.window, "seconds") if long else None,
                group=route,
                opens=True,
            )
        raise UnsupportedModality(f"{part.modality} has no policy in this model")

    def _policy_of(self, part: Part, settings: Settings) -> Any:
        """The policy of the part's modality with what the folder and the call change of it."""
        policy = self._policies()[part.modality]
        assert policy is not None
        return policy.changed(tasks.options(self.processing_kwargs, settings, part.modality))

    # ---- chats

    def _measure_chat(self, item: Item, reader: Reader, settings: Settings) -> Measured:
        read = self._read()
        renderer = read.renderer
        assert renderer is not None
        chat, limit = renderer.chat, self._limit(settings)
        media = plan_media(item, chat, lambda part: self._policy_of(part, settings), reader)
        expansions = {id(plan.part): plan.expansion for plan in media}
        turns = chat.turns(item, settings.prompt)
        rendered = renderer.render(turns, reader.text, lambda part: expansions[id(part)], limit, read.left)
        cut = (rendered.length, limit, "tokens") if limit is not None and rendered.length > limit else None
        patches = sum(plan.patches for plan in media)
        return Measured(
            "message",
            len(rendered.ids),
            (rendered, media),
            patches,
            patches * 4 * 3 * 2 * 16 * 16 + 24 * len(rendered.ids),
            cut or next((plan.cut for plan in media if plan.cut), None),
            "message",
            bool(media),
        )

    # ---- prepare

    def prepare(self, measured: Measured, reader: Reader, settings: Settings) -> Features:
        if measured.route in ("text", "pair"):
            return dict(measured.draft)
        if measured.route == "message":
            rendered, media = measured.draft
            features: Features = {"input_ids": rendered.ids, "mm_token_type_ids": rendered.kinds}
            if measured.shared:
                features["shared"] = measured.shared
            if media and settings.keep_media and self._apart:
                return {**features, "media": [medium_of(plan, reader, self.media_cache) for plan in media]}
            for plan in media:
                for name, array in open_medium(plan, reader).items():
                    features.setdefault(name, []).append(array)
            return {name: joined(name, value) if isinstance(value, list) else value for name, value in features.items()}
        part, policy = measured.draft
        key = ("prepared", reader.key(part))  # a reader serves one call, so its settings are one
        if part.modality == "image":
            return dict(reader.once(key, lambda: policy.prepare(reader.picture(part))))
        return dict(reader.once(key, lambda: policy.prepare(reader.sound(part, policy.rate))))

    # ---- collate and forward

    def collate(self, features: Sequence[Features], route: Route) -> Features:
        policies, last = self.recipe.policies, self.recipe.routes[route].last
        batch = collate(
            features,
            int(self.tokenizer.pad_token_id or 0),
            to=policies.text_padding,
            mask=policies.text_mask,
            left=last,
        )
        if last:
            batch["logits_to_keep"] = 1
            if not any(name.endswith("_thw") or name == "media" for name in batch):  # there the model counts itself
                batch["position_ids"] = (batch["attention_mask"].cumsum(1) - 1).clamp_min(0)
        return batch

    def forward(self, features: Features, **kwargs: Any) -> Features:
        if "rows" in features:
            chat = self._renderer.chat if self._renderer is not None else None
            return packed(self.model, self._task, features, self._outputs, chat)
        if "media" in features:
            seen = self._outputs(features.pop("media"))
            features.update(entered(self.recipe, self.model, features, seen, self._chat))
        call = self._call(features)
        method = self.model if call.method == "forward" else getattr(self.model, call.method)
        given = {name: features[name] for name in self._names(call.method) if features.get(name) is not None}
        for name, value in given.items():
            if isinstance(value, Tensor) and value.is_floating_point():
                given[name] = value.to(self.model.dtype)
        if "hidden_states" in call.output:
            given["output_hidden_states"] = True
        output = method(**given, return_dict=True)
        if getattr(self.config, "output_hidden_states", False) and "hidden_states" in output:
            features["all_layer_embeddings"] = output["hidden_states"]
        features[call.feature] = tasks.picked(output, call.output, self.model)
        return features

    def packs(self) -> bool:
        """Whether inference goes through a forward pass of our own, without padding: on a CPU, where nobody listens to
        the network's modules and only one position of each item is read."""
        return self.fast and can_pack(self.model, self._task)

    def pack(self, features: Sequence[Features]) -> Features | None:
        """In the place of `collate` where the module `packs`; None for features that have to be padded."""
        return {"rows": list(features)} if all(packable(one) for one in features) else None

    def _outputs(self, media: Sequence[Medium]) -> list[Seen]:
        """What the towers make of media, each seen once."""
        return self.media_cache.outputs(
            media, stamp_of(self.model), lambda new: see(self.model, self.recipe.towers, new)
        )

    def _call(self, features: Features) -> Call:
        """The route's call, found again from the features, so that batches built elsewhere run too."""
        routes = self.recipe.routes
        if len(routes) == 1:
            return next(iter(routes.values()))
        of = {"text": "input_ids", "pair": "input_ids", "image": "pixel_values", "audio": "input_features"}
        for route, name in of.items():
            if route in routes and name in features:
                return routes[route]
        raise ModelError(f"features {sorted(features)} fit no route of this model: {', '.join(map(str, routes))}")

    def _names(self, method: str) -> frozenset[str]:
        kept = self._parameters_of.get(method)
        if kept is None or kept[0] is not self.model:
            kept = self._parameters_of[method] = (self.model, tasks.accepted(self.model, method, _FORWARD_NAMES))
        return kept[1]

    # ---- the folder

    def get_config_dict(self) -> dict[str, Any]:
        """In the keys that every version of the known library reads."""
        config: dict[str, Any] = {"max_seq_length": self.max_seq_length, "do_lower_case": self.do_lower_case}
        plain = {"text", "pair"} >= set(self.recipe.routes) and not self._own_calls
        if not plain or self.transformer_task != "feature-extraction":
            config = {
                "transformer_task": self.transformer_task,
                **(self._stored or stored.modality_config(self.recipe, self._chat is None or self._chat.structured)),
            }
            if self._given_length:
                config["max_seq_length"] = self.max_seq_length
            if self.do_lower_case:
                config["do_lower_case"] = True
        config.update({f"{task}_length": length for task, length in self.task_lengths.items() if length})
        processing = tasks.with_header(self.processing_kwargs, self._chat)
        if processing:
            config["processing_kwargs"] = processing
        return config

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        folder = Path(output_path)
        save_network(self.model, folder, safe_serialization)
        with quiet():
            self.tokenizer.save_pretrained(folder)
        for name, data in self._files.items():
            (folder / name).write_bytes(data)
        write_json(folder / self.config_file_name, self.get_config_dict())

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Transformer:
        """kwargs: trust_remote_code, model_kwargs, processor_kwargs, config_kwargs of the caller, which win over the
        folder's own."""
        opened, own = stored.read(folder, **kwargs)
        return cls(opened, **own)
