"""Answers a digest challenge (401, 407) as a client.

Source: RFC 3261 section 22; RFC 8760 (SHA-256); RFC 7616.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from moonwire.errors import RemoteProtocolError

# sipmessage 0.7.1 splits `qop="auth,auth-int"` at its comma, so parameters are read here.
_PARAMETER = re.compile(r'([A-Za-z0-9_\-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES = {"md5": hashlib.md5, "sha-256": hashlib.sha256}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate or Proxy-Authenticate value."""

    realm: str
    nonce: str
    opaque: str | None
    algorithm: str
    """As received, so that the answer repeats it; empty when absent."""
    qop: bool
    stale: bool


def read_challenge(value: str) -> Challenge:
    """Read a challenge.

    Raises:
        RemoteProtocolError: not Digest, no nonce, or an algorithm we do not have.
    """
    scheme, _, rest = value.strip().partition(" ")
    found: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(rest[:4096]):
        found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else plain)
    algorithm = found.get("algorithm", "")
    if scheme.lower() != "digest" or not found.get("nonce"):
        raise RemoteProtocolError("no digest challenge")
    if (algorithm or "MD5").lower().removesuffix("-sess") not in _HASHES:
        raise RemoteProtocolError("unknown digest algorithm")
    offered = [word.strip().lower() for word in found.get("qop", "").split(",") if word.strip()]
    if offered and "auth" not in offered:
        raise RemoteProtocolError("unknown digest quality of protection")
    return Challenge(
        realm=found.get("realm", ""),
        nonce=found["nonce"],
        opaque=found.get("opaque"),
        algorithm=algorithm,
        qop=bool(offered),
        stale=found.get("stale", "").lower() == "true",
    )


def answer_challenge(challenge: Challenge, *, method: str, uri: str, user: str, password: str, cnonce: str) -> str:
    """Return the Authorization or Proxy-Authorization value; each challenge is answered once, so nc is 1."""
    algorithm = (challenge.algorithm or "MD5").lower()
    digest = _HASHES[algorithm.removesuffix("-sess")]

    def hashed(text: str) -> str:
        return digest(text.encode()).hexdigest()

    secret = hashed(f"{user}:{challenge.realm}:{password}")
    if algorithm.endswith("-sess"):
        secret = hashed(f"{secret}:{challenge.nonce}:{cnonce}")
    target = hashed(f"{method}:{uri}")
    middle = f"{challenge.nonce}:00000001:{cnonce}:auth" if challenge.qop else challenge.nonce
    fields = {
        "username": _quote(user),
        "realm": _quote(challenge.realm),
        "nonce": _quote(challenge.nonce),
        "uri": _quote(uri),
        "response": _quote(hashed(f"{secret}:{middle}:{target}")),
    }
    if challenge.algorithm:
        fields["algorithm"] = challenge.algorithm
    if challenge.qop:
        fields |= {"qop": "auth", "nc": "00000001", "cnonce": _quote(cnonce)}
    elif algorithm.endswith("-sess"):
        fields["cnonce"] = _quote(cnonce)
    if challenge.opaque is not None:
        fields["opaque"] = _quote(challenge.opaque)
    return "Digest " + ", ".join(f"{name}={value}" for name, value in fields.items())


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
