"""Decides where a call of ours goes: a carrier's gateway or a SIP address, and whether that must be checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from moonwire.call.context import Call
from moonwire.call.services import CallServices
from moonwire.errors import CallError
from moonwire.ports.directory import ApplicationRecord
from moonwire.ports.legs import CallOrder
from moonwire.ports.routes import OutboundRoute
from moonwire.spec.transfers import Target

log = structlog.get_logger()

_NUMBER = re.compile(r"\+?[0-9*#A-Za-z.\-()]{1,64}")
_ADDRESS = re.compile(r"[^\s<>\"\x00-\x1f\x7f]{1,512}")


class NoWayError(CallError):
    """A target that cannot be reached from here; `reason` is `no-route` or `unsupported-target`."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """As whom we call, and what goes along."""

    user: str
    host: str | None = None
    name: str = ""
    headers: Mapping[str, str] | None = None
    proxy: str | None = None


def order_for(
    services: CallServices, application: ApplicationRecord, target: Target, shown: Presentation, timeout_s: float
) -> CallOrder:
    """Turn a target into a call.

    A SIP address that an application of the operator's own configuration names may be private; others are checked.

    Raises:
        NoWayError: it cannot be reached from here; the message is for whoever asked.
    """
    auth = (target.auth.username, target.auth.password) if target.auth else None
    proxy = target.proxy or shown.proxy
    guarded = not application.by_operator
    uri, carrier = _address(target), None
    if uri is None:
        route = _carrier(services, application.account_sid, target)
        carrier = route.carrier
        uri, auth = route.uri(target.number or ""), auth or route.auth
        guarded = route.guarded or (guarded and bool(proxy))
        proxy = proxy or route.proxy
    return CallOrder(
        uri=uri,
        from_user=target.from_.user or shown.user,
        from_host=target.from_.host or shown.host,
        from_name=shown.name,
        request_uri=_as_uri(target.override_to) if target.override_to else None,
        proxy=_as_uri(proxy) if proxy else None,
        called=called_party(target),
        carrier=carrier,
        headers={**(shown.headers or {}), **target.headers},
        auth=auth,
        timeout_s=timeout_s,
        guarded=guarded,
    )


def called_party(target: Target) -> str:
    """Return what `to` shows for a target."""
    return target.number or target.sip_uri or target.name or ""


def refer_address(call: Call, to: str) -> str:
    """Return what goes into Refer-To for a SIP address, or for a number or name at the caller's own side.

    Raises:
        NoWayError: it is neither.
    """
    if "@" in to or to.startswith(("sip:", "sips:", "tel:")):
        return to if to.startswith("tel:") and _ADDRESS.fullmatch(to) else _as_uri(to)
    host = call.leg.info.source_address
    return _as_uri(f"{to}@{f'[{host}]' if ':' in host else host}")


def _address(target: Target) -> str | None:
    """Return a target's own SIP address; None for a telephone number."""
    match target.type:
        case "phone" if target.number:
            return None
        case "sip" if target.sip_uri:
            return _as_uri(target.sip_uri)
        case "user" if target.name and "@" in target.name:
            return _as_uri(target.name)
        case "user" if target.name:
            raise NoWayError("this user is not registered here", reason="no-route")
        case "teams":
            raise NoWayError("targets of type teams are not supported by this server", reason="unsupported-target")
        case _:
            raise NoWayError(f"a target of type {target.type} lacks its address", reason="unsupported-target")


def _carrier(services: CallServices, account_sid: str, target: Target) -> OutboundRoute:
    routes = services.dialer.routes
    route = routes.route(account_sid, target.trunk) if routes is not None else None
    if route is None:
        log.warning("no way to a number", remedy="give a carrier an outbound gateway", trunk=target.trunk)
        trunk = f" named {target.trunk}" if target.trunk else ""
        raise NoWayError(f"there is no carrier{trunk} with an outbound gateway", reason="no-route")
    if not _NUMBER.fullmatch(target.number or ""):
        raise NoWayError("a telephone number may hold digits and the usual signs only", reason="unsupported-target")
    return route


def _as_uri(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise NoWayError("a SIP address must be user@host without spaces", reason="unsupported-target")
    return address if address.startswith(("sip:", "sips:")) else f"sip:{address}"
