"""Makes and checks the tokens of logged-in users: JSON Web Tokens, signed with a key derived from the master key.

A token is void after twelve hours, when the user is switched off, or when the password changes (its epoch is raised).

Source: RFC 7515 (HS256), RFC 7519.
"""

from __future__ import annotations

import base64
import hmac
from typing import Any

import msgspec

SESSION_S = 12 * 3600.0

_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")


class SessionTokens:
    """Signs and checks with one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, user_sid: str, epoch: int, now_s: float) -> str:
        """Return a token for a user."""
        claims = {"sub": user_sid, "epoch": epoch, "iat": int(now_s), "exp": int(now_s + SESSION_S)}
        body = _HEADER + b"." + base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=")
        return (body + b"." + self._signature(body)).decode()

    def check(self, token: str, now_s: float) -> tuple[str, int] | None:
        """Return user sid and epoch of a valid token, else None."""
        body, _, signature = token.encode("utf-8", "replace").rpartition(b".")
        if not hmac.compare_digest(signature, self._signature(body)):
            return None
        try:
            claims: dict[str, Any] = msgspec.json.decode(base64.urlsafe_b64decode(body.split(b".")[1] + b"=="))
        except (ValueError, IndexError, msgspec.DecodeError):
            return None
        return (claims["sub"], claims["epoch"]) if claims["exp"] > now_s else None

    def _signature(self, body: bytes) -> bytes:
        return base64.urlsafe_b64encode(hmac.digest(self._key, body, "sha256")).rstrip(b"=")
