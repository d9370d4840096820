"""A name of the known library that is not here yet: it can be imported, and says what is missing when it is used.

Knows: what counts as use. Does not know: which names are missing, and what to do meanwhile (ours.py).
"""

from __future__ import annotations

from abc import ABCMeta
from typing import Any, NoReturn

from ..errors import NotSupported


class _NoMember(NotSupported, AttributeError):
    """The same, of an attribute: `hasattr` may ask for it."""


class Later(ABCMeta):
    """The kind of such a name: a class, so that it may stand in annotations and in isinstance, of which nothing is an
    instance.

    says: the message of its error.  patient: False raises NotSupported when the name is called, subclassed, iterated,
    or asked for an attribute. True is for the code of others, which does some of that while it is being imported: a
    subclass or an attribute is one more such name there, and the error waits for the call.
    """

    says: str
    patient: bool

    def __new__(
        kind, name: str, bases: tuple[type, ...], body: dict[str, Any], *, says: str = "", patient: bool = False
    ) -> Later:
        parent = next((base for base in bases if isinstance(base, Later)), None)
        if parent is not None and not parent.patient:
            parent._refuse()
        made = super().__new__(kind, name, bases, body)
        made.says = parent.says if parent is not None else says
        made.patient = patient if parent is None else parent.patient
        return made

    def __init__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(name, bases, body)

    def _refuse(cls) -> NoReturn:
        raise NotSupported(cls.says)

    def __call__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        cls._refuse()

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):  # what Python itself looks for; absent, as on any class
            raise AttributeError(f"{cls.__name__} has no attribute {name!r}")
        if not cls.patient:
            raise _NoMember(cls.says)
        place = {"__module__": cls.__module__, "__qualname__": f"{cls.__qualname__}.{name}"}
        inner = Later(name, (), place, says=cls.says, patient=True)
        setattr(cls, name, inner)
        return inner

    def __iter__(cls) -> NoReturn:
        cls._refuse()

    def __getitem__(cls, key: Any) -> NoReturn:
        cls._refuse()

    def __repr__(cls) -> str:
        return f"<{cls.__qualname__}: not in manysense>"


def later(name: str, module: str, says: str, *, patient: bool) -> Later:
    """The name as it is known in `module`."""
    return Later(name, (), {"__module__": module, "__doc__": says}, says=says, patient=patient)
