"""What may be opened, and how much of it: one frozen value.

Knows: limits. Does not know: how they are enforced (fetch.py, image.py, audio.py, video.py).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..errors import UsageError

MEBI = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits on what is fetched and decoded. The defaults suit a program that opens its own user's files.

    network: False switches every URL off.  files: False refuses local paths and file: URLs (a server's setting).
    schemes: URL schemes that may be fetched.  private_hosts: True allows addresses that are not public (loopback,
    private, link-local, multicast, reserved); they are checked for every address a name resolves to, at every
    redirect, and the connection goes to the address that was checked.  hosts: an allow-list of host names, None for
    any.  max_redirects: hops followed.  connect_seconds, read_seconds: per operation.  total_seconds: per fetch.
    max_bytes: of a fetched or decoded-from-base64 medium.  max_pixels: width x height of a picture or frame.
    max_seconds: of a sound or video.  max_frames: decoded from one video.  max_text: characters of one text.
    """

    network: bool = True
    files: bool = True
    schemes: frozenset[str] = frozenset({"http", "https"})
    private_hosts: bool = False
    hosts: frozenset[str] | None = None
    max_redirects: int = 5
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float = 120.0
    max_bytes: int = 512 * MEBI
    max_pixels: int = 178_956_970
    max_seconds: float = 4 * 3600.0
    max_frames: int = 500_000
    max_text: int = 200_000_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("schemes", "hosts"):
                if isinstance(value, str) or not (value is None or all(isinstance(v, str) for v in value)):
                    raise UsageError(f"Policy({field.name}=…) is a set of names, got {value!r}")
                if value is not None:
                    object.__setattr__(self, field.name, frozenset(value))
            elif isinstance(field.default, bool):
                if not isinstance(value, bool):
                    raise UsageError(f"Policy({field.name}=…) is True or False, got {value!r}")
            elif isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0 or value != value:
                raise UsageError(f"Policy({field.name}=…) is a number of at least 0, got {value!r}")


DEFAULT = Policy()
