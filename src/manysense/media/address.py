"""Read a URL strictly, and say which addresses are public.

Knows: URLs, hosts, IP addresses. Does not know: connections (http.py). What two parsers could read as two hosts is
refused. Only standard library.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from ..errors import FetchRefused
from .policy import Policy

PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:@%]+))(?::(?P<port>[0-9]{0,5}))?")
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u2028\u2029\ud800-\udfff]")
DOWNLOAD = "Download it in another way and pass the file's path or its bytes."

# What `ipaddress` calls global in some or all versions of Python, and is not: blocks for protocols and documentation,
# the 6to4 relays, and the address at which a cloud's own control service answers from inside.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(block) for block in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "3fff::/20")
)
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """One hop. host: lower case ASCII without brackets or trailing dot. path: with the query, percent-encoded."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str, policy: Policy) -> Target:
    """Read a URL strictly: what two parsers could read as two hosts is refused."""
    if not policy.network:
        raise FetchRefused("the policy has the network switched off.", hint="Use network=True, or pass a local file.")
    _check_characters(url)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise FetchRefused("it is not a well-formed URL.") from error
    scheme = parts.scheme.lower()
    if scheme not in policy.schemes or scheme not in PORTS:
        allowed = ", ".join(sorted(policy.schemes & PORTS.keys())) or "none"
        raise FetchRefused(f"the scheme '{escaped(scheme)}' is not allowed (allowed: {allowed}).", hint=DOWNLOAD)
    if "@" in parts.netloc:
        raise FetchRefused("a user name or password in a URL is not sent.", hint=DOWNLOAD)
    match = _AUTHORITY.fullmatch(parts.netloc)
    if match is None:
        raise FetchRefused("it names no host, or not in a plain way, or the port is not a number.")
    host = _host(match["v6"], match["name"])
    port = int(match["port"]) if match["port"] else PORTS[scheme]
    if not 0 < port < 65536:
        raise FetchRefused(f"there is no port {port}.", hint="Ports are 1 to 65535.")
    if policy.hosts is not None and host not in {_listed(name) for name in policy.hosts}:
        raise FetchRefused(f"the host '{host}' is not in the policy's list of hosts.")
    path = quote(parts.path or "/", safe="/%:=&~+!$,;'@()*[]|")
    query = "?" + quote(parts.query, safe="/%:=&~+!$,;'@()*[]|?") if parts.query else ""
    return Target(scheme, host, port, path + query)


def _host(v6: str | None, name: str | None) -> str:
    """The one spelling of a host. IPv4 must be four plain decimal numbers; Unicode names become their IDNA form."""
    try:
        if v6 is not None:
            return str(ipaddress.IPv6Address(v6))
        assert name is not None
        if len(name) > 255:
            raise ValueError("longer than any host name")
        host = name.encode("idna").decode("ascii").lower().removesuffix(".")
        if _NUMERIC.fullmatch(host):
            return str(ipaddress.IPv4Address(host))
    except ValueError as error:  # UnicodeError and AddressValueError are
        raise FetchRefused("its host is not a plain name or address.", hint="Write an address as 192.0.2.1.") from error
    if not _NAME.fullmatch(host):
        raise FetchRefused("its host has characters that no host name has.")
    return host


def _listed(name: str) -> str:
    """An entry of the policy's list of hosts, in the spelling of `_host`."""
    bare = name.strip("[]")
    return _host(bare, None) if ":" in bare else _host(None, bare)


def _check_characters(url: str) -> None:
    if _UNSAFE.search(url):
        raise FetchRefused(
            "it has backslashes or control characters, which programs read in different ways.",
            hint="Percent-encode them, and strip the line end.",
        )


def printable_url(url: str) -> str:
    """A URL for an error message: without user name, password, query and fragment, and not longer than 200 characters.

    Where the part that names the host cannot be told from a password, only the scheme is shown.
    """
    scheme, _, rest = url.partition(":")
    rest = rest.lstrip("/\\")
    end = re.search(r"[?#]", rest)
    query = "?…" if end is not None and end.group() == "?" else ""
    place = rest if end is None else rest[: end.start()]
    authority, slash, path = place.partition("/")
    host = authority.rpartition("@")[2]
    if not re.fullmatch(r"(?:\[[^\[\]]*\]|[^:\[\]]*)(?::[0-9]*)?", host):
        return escaped(f"{scheme}://…")
    shown = escaped(f"{scheme}://{host}{slash}{path}{query}")
    return shown if len(shown) <= 200 else f"{shown[:150]}…{shown[-49:]}"


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet.

    Not: private, loopback, link-local, multicast, reserved, unspecified, documentation; nor an IPv6 address that
    carries such an IPv4 address (mapped, 6to4, NAT64), nor Teredo and IPv4-compatible addresses at all.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _UNICAST:
            return False
    if any(ip in block for block in _NOT_PUBLIC if block.version == ip.version):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved)


def escaped(text: str) -> str:
    """Text for a message, on one line: what does not print is written as \\n, \\x00, \\u202e."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def amount(count: int) -> str:
    """A number of bytes, for a person."""
    for unit, scale in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count} bytes"
