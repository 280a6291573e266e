"""Hooks: where an application wants to hear of something; a string, or an object with method and credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, cast
from urllib.parse import unquote, urlsplit, urlunsplit

from pydantic import BeforeValidator

from moonwire.errors import SpecError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://")

HookMethod = Literal["GET", "POST", "WS"]


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook; `url` is the application's own string, echoed exactly (fragment included)."""

    url: str
    method: HookMethod = "POST"
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def scheme(self) -> str:
        """`http`, `https`, `ws`, `wss`, or empty for a relative hook."""
        found = _SCHEME.match(self.url)
        return found[1].lower() if found else ""

    @property
    def is_relative(self) -> bool:
        """Whether the hook lives on the application's own connection or base URL."""
        return not self.scheme

    @property
    def is_websocket(self) -> bool:
        """Whether the hook is reached over a WebSocket of its own."""
        return self.scheme in ("ws", "wss") or (self.method == "WS" and not self.is_relative)


def parse_hook(value: object, *, path: str = "") -> Hook:
    """Read a hook: a string, or an object with `url`, `method` and credentials (`basicAuth` or flat).

    Args:
        value: what an application or the configuration gives.
        path: where it stood, for the error.

    Raises:
        SpecError: no usable hook; the text never holds the credentials.

    Source: @jambonz/schema 0.4.15, components/actionHook; jambonz applications (REST) for the flat form.
    """
    if isinstance(value, Hook):
        return value
    if isinstance(value, str) and value.strip():
        return Hook(value)
    if not isinstance(value, Mapping):
        raise SpecError("a hook must be a string or an object with a url", path=path)
    members = cast("Mapping[str, Any]", value)
    url = members.get("url")
    if not isinstance(url, str) or not url.strip():
        raise SpecError("a hook must have a url", path=path)
    username, password = _credentials(members, path)
    return Hook(url, _method(members.get("method"), path), username, password)


def _method(value: object, path: str) -> HookMethod:
    match value.upper() if isinstance(value, str) else value:
        case None | "" | "POST":
            return "POST"
        case "GET":
            return "GET"
        case "WS":
            return "WS"
        case _:
            raise SpecError("a hook's method must be GET, POST or WS", path=path)


def _credentials(members: Mapping[str, Any], path: str) -> tuple[str | None, str | None]:
    source: object = members.get("basicAuth", members.get("basic_auth")) or members
    if not isinstance(source, Mapping):
        raise SpecError("a hook's basicAuth must have username and password", path=path)
    pair = cast("Mapping[str, Any]", source)
    username, password = pair.get("username"), pair.get("password")
    if not username and not password:
        return None, None
    if not isinstance(username, str) or not isinstance(password, str | None):
        raise SpecError("a hook's username and password must be strings", path=path)
    return username, password


def _hook_field(value: object) -> Hook:
    try:
        return parse_hook(value)
    except SpecError as error:
        raise ValueError(str(error)) from None


HookField = Annotated[Hook, BeforeValidator(_hook_field)]
"""A hook as a member of a verb."""


def with_split_credentials(hook: Mapping[str, object]) -> dict[str, object]:
    """Move `user:password@` out of a hook's URL into members of their own, where the password is kept as a secret."""
    url = hook.get("url")
    try:
        parts = urlsplit(url.strip()) if isinstance(url, str) else None
    except ValueError:
        parts = None
    if parts is None or parts.username is None:
        return dict(hook)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    found = {"url": bare, "username": unquote(parts.username), "password": unquote(parts.password or "") or None}
    return {**found, **{name: value for name, value in hook.items() if name != "url" and value is not None}}
