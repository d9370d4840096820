"""A linear layer with an activation on one feature.

Knows: which activation names a folder may ask for. Does not know: anything outside torch.nn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from ..errors import UntrustedCode
from .base import Features, Module, read_json
from .weights import load_weights, save_weights

ACTIVATIONS: dict[str, type[nn.Module]] = {
    name: getattr(nn, name)
    for name in (
        "CELU ELU GELU GLU Hardsigmoid Hardswish Hardtanh Identity LeakyReLU LogSigmoid Mish PReLU ReLU ReLU6 SELU "
        "SiLU Sigmoid Softplus Softshrink Softsign Tanh Tanhshrink".split()
    )
}
"""The only names that a folder's `activation_function` may end in; nothing else is imported or called."""

TANH = nn.Tanh()


def activation_from(name: str) -> nn.Module:
    """ "torch.nn.modules.activation.Tanh" → nn.Tanh(). Raises UntrustedCode for anything but torch.nn activations."""
    package, _, last = name.rpartition(".")
    if package in ("torch.nn", "torch.nn.modules.activation", "torch.nn.modules.linear") and last in ACTIVATIONS:
        return ACTIVATIONS[last]()
    raise UntrustedCode(
        f"activation_function {name!r} is not on the allow-list and was not imported\n"
        f"  Allowed: torch.nn.{{{', '.join(ACTIVATIONS)}}}."
    )


def name_of(activation: Any) -> str:
    kind = type(activation)
    return f"{kind.__module__}.{kind.__qualname__}"


class Dense(Module):
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
        super().save(output_path)
        save_weights(self.state_dict(), Path(output_path), safe_serialization)

    @classmethod
    def load_from(cls, folder: Path, **kwargs: Any) -> Dense:
        config = {
            key: value for key, value in read_json(folder / cls.config_file_name).items() if key in cls.config_keys
        }
        if "activation_function" in config:
            config["activation_function"] = activation_from(str(config["activation_function"]))
        module = cls(**config)
        module.load_state_dict(load_weights(folder))
        return module
