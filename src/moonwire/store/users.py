"""Hashes passwords with argon2id, off the event loop.

Source: RFC 9106; argon2-cffi's default profile (its second recommended option), read 2026-11-22.
"""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()


async def hash_password(password: str) -> str:
    """Return the hash with its parameters and a fresh salt."""
    return await asyncio.to_thread(_hasher.hash, password)


async def password_matches(password_hash: str, password: str) -> bool:
    """Compare in constant time; False also for a damaged hash."""
    return await asyncio.to_thread(_verified, password_hash, password)


def one_time_password() -> str:
    """Make a first password that a person can type."""
    return secrets.token_urlsafe(12)


def _verified(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
