"""Cleans what people paste as API key and Base URL, once, for every caller, and says what was changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from moonwire.errors import ConfigError

_INVISIBLE = re.compile("[\\s\u00a0\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff\x00-\x1f\x7f]+")
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """A usable address and what had to be done to the pasted one (sentences for the operator)."""

    url: str
    changes: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The host name, in lower case."""
        return urlsplit(self.url).hostname or ""


def clean_key(pasted: str) -> str:
    """Remove blanks, line ends and invisible characters from a key; anywhere, for no key contains any."""
    return _INVISIBLE.sub("", pasted)


def clean_base_url(pasted: str, *, endpoints: Sequence[str], default_path: str = "") -> BaseUrl:
    """Normalise a pasted Base URL.

    Args:
        pasted: what the operator or application gave.
        endpoints: paths of the vendor that people paste along (`/chat/completions`); removed from the end.
        default_path: added when the address has no path at all (`/v1`).

    Raises:
        ConfigError: not an http(s) address (ws and wss are taken as other spellings), or it holds credentials.
    """
    text = _INVISIBLE.sub("", pasted)
    changes = ["removed blanks around the address"] if text != pasted else []
    if "://" not in text:
        text = f"https://{text}"
        changes.append("added https://")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ConfigError("Base URL is not an address; it looks like https://api.example.com/v1") from None
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None or not parts.hostname:
        raise ConfigError("Base URL must begin with https:// or http:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ConfigError("Base URL must not contain a user name or password; the key has its own field")
    path = re.sub(r"/{2,}", "/", parts.path).rstrip("/")
    for endpoint in endpoints:
        if path.endswith(endpoint):
            path = path[: -len(endpoint)].rstrip("/")
            changes.append(f"removed {endpoint}: the Base URL ends before it")
            break
    if not path and default_path:
        path = default_path
        changes.append(f"added {default_path}")
    if parts.query or parts.fragment:
        changes.append("removed what followed the path")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    return BaseUrl(urlunsplit((scheme, netloc, path, "", "")), tuple(changes))
