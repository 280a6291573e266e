"""Translates what HTTP clients and the system say about a failed connection into words for operators."""

from __future__ import annotations

import socket
import ssl


def plain_cause(error: BaseException) -> str:
    """Say in plain words why a connection could not be made or broke off: a half sentence without names of classes.

    Nothing of the address, headers or credentials is told. HTTP clients wrap what the system said; that is looked for.
    """
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    match cause:
        case socket.gaierror():
            words = "its name is unknown: check the spelling, and this server's DNS"
        case ssl.SSLCertVerificationError():
            words = f"its certificate is not trusted: {getattr(cause, 'verify_message', '') or 'verification failed'}"
        case ssl.SSLError():
            words = "it does not speak TLS there: check scheme and port"
        case TimeoutError():
            words = "no answer in time"
        case ConnectionRefusedError():
            words = "it refuses the connection: check host and port, and that it runs"
        case ConnectionError():
            words = "the connection broke off"
        case OSError():
            words = cause.strerror or str(cause) or "the network gives no way to it"
        case ValueError():
            words = "its address cannot be used"
        case _:
            words = "the connection broke off"
    return words
