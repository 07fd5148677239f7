"""Who may use the control API: whoever calls the server by its own name, and no page of another origin.

A page in a browser could otherwise reset the worlds of whoever looks at it: by its origin, or by a name of its own that it lets
point at this machine (DNS rebinding).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  # what one listens at to be reached by every address of the machine

Closed = Callable[[str, str | None, str], str]  # Host, Origin, scheme -> why not; "" if nothing is against it


def closed_to(listening: str) -> Closed:
    """What tells why a request is not let in, on a server that listens at this host."""

    def reason(host: str, origin: str | None, scheme: str) -> str:
        name = _name(host)
        if not (_is_local(name) or name == listening.lower() or (listening in ANY and _is_address(name))):
            return "The control API is reached by a loopback name, like localhost, or by the one given with --host."
        if origin is not None and origin.lower() != f"{scheme}://{host}".lower():
            return f"The control API is closed to pages of other origins, and {origin[:100]} is one."
        return ""

    return reason


def _name(host: str) -> str:
    """A Host header without its port, and an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_local(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ip_address(name).is_loopback


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
