"""Decides whether a vendor is reached through the HTTP proxy that the environment names.

`HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` mean what they mean to other programs; loopback never goes through a proxy,
whatever they say, because the sandbox and local models live there.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(url: str) -> str | None:
    """Return the proxy's URL for an http(s) address, or None for a direct connection."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _is_loopback(host) or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxy = getproxies().get("https" if parts.scheme in {"https", "wss"} else "http")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
