"""Everything old: the import paths of the known library, and programs that import it instead of this one.

    install, uninstall   let `import sentence_transformers` give this library, for libraries that write it
    python -m manysense.compat check script.py      what of a script's use is covered

`manysense.losses`, `manysense.SentenceTransformer` and every other path that the known library has, or had, resolve
without any call. Names that are not here yet import as well, and raise NotSupported when they are used.

Knows: which names are public. Does not know: how anything works; nothing heavy is imported here.
"""

from .installed import install, uninstall

__all__ = ["install", "uninstall"]
