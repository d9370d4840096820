"""A linear layer with an activation on one feature.

Knows: which activations a folder may ask for without being trusted. Does not know: anything outside torch.nn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from ..errors import ModelError, UntrustedCode
from ..warn import warn
from .base import Features, read_json
from .with_weights import WithWeights

ACTIVATIONS: dict[str, type[nn.Module]] = {
    name: getattr(nn, name)
    for name in (
        "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh Identity LeakyReLU LogSigmoid LogSoftmax Mish "
        "PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmin Softplus Softshrink Softsign Tanh Tanhshrink".split()
    )
}
"""The only names that the `activation_function` of a folder that is not trusted may end in."""

TANH = nn.Tanh()


def activation_from(name: str, folder: Path | None = None, trusted: bool = False, source: Any = None) -> nn.Module:
    """ "torch.nn.modules.activation.Tanh" → nn.Tanh().

    Another class than the activations of torch.nn is imported only when `folder`, whose code it may be, is trusted.
    Raises UntrustedCode; ModelError for what is no class of a module.
    """
    package, _, last = name.rpartition(".")
    if package in ("torch.nn", "torch.nn.modules.activation", "torch.nn.modules.linear") and last in ACTIVATIONS:
        return _as_named(ACTIVATIONS[last])
    if not trusted or folder is None:
        raise UntrustedCode(
            f"activation_function {name!r} is not on the allow-list and was not imported\n"
            f"  Allowed: torch.nn.{{{', '.join(ACTIVATIONS)}}}. For another, read its code, then pass "
            "trust_remote_code=True."
        )
    from ..checkpoints.foreign import foreign_class
    from ..checkpoints.types import Wanted

    activation: nn.Module = foreign_class(name, folder, Wanted(trust_remote_code=True, source=source)).kind()
    return activation


def _as_named(kind: type[nn.Module]) -> nn.Module:
    """What a folder means that names this class of torch.nn: its defaults. Softmax and its kin have none, and go over
    the numbers of each vector, as torch chooses for (batch, width); for tokens it would choose the batch."""
    return kind(dim=-1) if kind in (nn.Softmax, nn.LogSoftmax, nn.Softmin) else kind()


def name_of(activation: Any) -> str:
    kind = type(activation)
    return f"{kind.__module__}.{kind.__qualname__}"


class Dense(WithWeights):
    """`module_input_name` (…, in_features) → activation(linear) → `module_output_name` (…, out_features).

    use_residual: add the input, projected where the sizes differ.
    """

    config_keys: ClassVar[Sequence[str]] = (
        "in_features",
        "out_features",
        "bias",
        "activation_function",
        "module_input_name",
        "module_output_name",
        "use_residual",
    )

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        activation_function: Callable[[Tensor], Tensor] | None = TANH,
        init_weight: Tensor | None = None,
        init_bias: Tensor | None = None,
        module_input_name: str = "sentence_embedding",
        module_output_name: str | None = None,
        use_residual: bool = False,
    ) -> None:
        super().__init__()
        self.in_features, self.out_features, self.bias = in_features, out_features, bias
        self.activation_function = nn.Identity() if activation_function is None else activation_function
        self.linear = nn.Linear(in_features, out_features, bias=bias)
        if init_weight is not None:
            self.linear.weight = nn.Parameter(init_weight)
        if init_bias is not None and bias:
            self.linear.bias = nn.Parameter(init_bias)
        self.module_input_name = module_input_name
        self.module_output_name = module_output_name or module_input_name
        self.use_residual = use_residual
        if use_residual and in_features != out_features:
            self.residual = nn.Linear(in_features, out_features, bias=False)

    def forward(self, features: Features) -> Features:
        given = features[self.module_input_name]
        made = self.activation_function(self.linear(given))
        if self.use_residual:
            made = made + (given if self.in_features == self.out_features else self.residual(given))
        features[self.module_output_name] = made
        return features

    def get_embedding_dimension(self) -> int:
        return self.out_features

    get_sentence_embedding_dimension = get_embedding_dimension

    def get_config_dict(self) -> dict[str, Any]:
        config = super().get_config_dict()
        config["activation_function"] = name_of(self.activation_function)
        if not self.use_residual:
            del config["use_residual"]  # older readers refuse keys they do not know
        return config

    def save(self, output_path: str, *args: Any, safe_serialization: bool = True, **kwargs: Any) -> None:
        """Raises ModelError for an activation that is no module, since its class is all that a folder can name."""
        if not isinstance(self.activation_function, nn.Module):
            raise ModelError(
                f"Dense cannot be saved with the function {self.activation_function!r} as its activation\n"
                "  Give it a module, such as torch.nn.Tanh()."
            )
        self._say_what_is_lost()
        super().save(output_path, safe_serialization=safe_serialization)

    def _say_what_is_lost(self) -> None:
        given = self.activation_function
        known = ACTIVATIONS.get(type(given).__name__)
        if known is type(given) and repr(_as_named(known)) != repr(given):
            warn(f"a folder names the class of an activation alone: {given} will be read as {_as_named(known)}")

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Self:
        """Raises ModelError, UntrustedCode; keys of later versions are left aside."""
        stored = read_json(folder / cls.config_file_name)
        config = {key: value for key, value in stored.items() if key in cls.config_keys}
        if "activation_function" in config:
            trusted = bool(kwargs.get("trust_remote_code"))
            config["activation_function"] = activation_from(
                str(config["activation_function"]), folder, trusted, kwargs.get("source")
            )
        return cls(**config).filled(folder)
