"""Decides which address and key a Deepgram product is asked with; shared by all of the company's products; pure.

Source: developers.deepgram.com, API reference, read 2026-11-22; jambonz feature server, deepgramOptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from moonwire.errors import CredentialError, RequestRejectedError
from moonwire.ports.directory import VendorCredential

BASE_URL: Final = "wss://api.deepgram.com"

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_PATHS = ("/v1/listen", "/v2/listen", "/v1/speak", "/v2/speak", "/v1", "/v2")


def socket_url(base_url: str | None, path: str) -> str:
    """Return the address of a product's socket at an endpoint, without a query.

    Args:
        base_url: scheme, host, optional port and prefix; `http`, `https`, `ws` and `wss` are interchangeable
            spellings, a missing scheme means `wss`, a pasted full endpoint is accepted. None is Deepgram's own.
        path: of the product, with its version.

    Raises:
        ValueError: the text is no usable address.
    """
    text = (base_url or BASE_URL).strip()
    parts = urlsplit(text if "://" in text else f"wss://{text}")
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None or not parts.hostname or parts.port == 0:
        raise ValueError("not an address with scheme ws, wss, http or https and a host")
    prefix = parts.path.rstrip("/")
    pasted = next((known for known in _PATHS if prefix.endswith(known)), "")
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{prefix.removesuffix(pasted)}{path}"


def recogniser_target(
    credential: VendorCredential, options: Mapping[str, Any], may_dial: Callable[[str], bool]
) -> tuple[str | None, SecretStr]:
    """Return address and key; a stored key never travels to a host that the application chose.

    Args:
        credential: the account.
        options: `deepgramOptions`; `apiKey` replaces the account's key, `deepgramSttUri` its address.
        may_dial: whether an application may name this host itself.

    Raises:
        CredentialError: there is no key.
        RequestRejectedError: the application names a host that it may not.
    """
    own_key = str(options.get("apiKey") or "")
    key = SecretStr(own_key or credential.api_key)
    vendor = credential.vendor
    if not key:
        raise CredentialError(
            "There is no Deepgram API key", vendor=vendor, remedy="Add a Deepgram speech service with an API key."
        )
    uri = options.get("deepgramSttUri")
    if not uri:
        return credential.base_url, key
    host = str(uri).rpartition("//")[2]
    if not own_key or not may_dial(host.partition("/")[0].partition(":")[0]):
        raise RequestRejectedError(
            "The application names a Deepgram host of its own that this server does not allow",
            vendor=vendor,
            remedy="Send deepgramOptions.apiKey with deepgramSttUri and have the operator allow the host, "
            "or set the Base URL of the speech service.",
        )
    return f"{'wss' if options.get('deepgramSttUseTls', True) else 'ws'}://{host}", key


def unusable_base_url(error: ValueError, vendor: str) -> RequestRejectedError:
    """Return the error of a Base URL that is no address."""
    return RequestRejectedError(
        f"The Deepgram Base URL cannot be used: {error}",
        vendor=vendor,
        remedy="Correct the Base URL of the speech service, for example wss://api.deepgram.com.",
    )
