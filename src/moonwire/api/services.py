"""What the REST routes need from the rest of the process, handed over once by app.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moonwire.core.hosts import HostPolicy
from moonwire.ports.administration import Administration
from moonwire.ports.clock import Clock
from moonwire.ports.directory import VendorCredential
from moonwire.ports.event_log import EventLogArchive
from moonwire.ports.live_calls import LiveCalls


@dataclass(frozen=True, slots=True)
class CredentialTest:
    """How a credential's test went; `report` is the answer's body."""

    ok: bool
    reason: str
    report: Mapping[str, Any]


Tester = Callable[[VendorCredential], Awaitable[CredentialTest]]
LlmTester = Callable[[VendorCredential, bool], Awaitable[CredentialTest]]
"""The flag is the user's consent that a refused key may be tried at the vendor's other region."""


def _no_manifests() -> Sequence[Mapping[str, Any]]:
    return ()


@dataclass(frozen=True, slots=True)
class ApiServices:
    """Long-lived collaborators of all routes; a collaborator that is None answers "not tested" or nothing."""

    administration: Administration
    event_logs: EventLogArchive
    clock: Clock
    hosts: HostPolicy = field(default_factory=HostPolicy)
    llm_manifests: Callable[[], Sequence[Mapping[str, Any]]] = _no_manifests
    """Vendor manifests (jambonz contract section 6.4)."""
    speech_manifests: Callable[[], Sequence[Mapping[str, Any]]] = _no_manifests
    """The same for speech, each with `uses`."""
    is_sandboxed: bool = False
    """Simulated vendors answer where no key is stored."""
    test_llm: LlmTester | None = None
    test_speech: Tester | None = None
    list_models: Callable[[VendorCredential], Awaitable[Sequence[Mapping[str, Any]]]] | None = None
    """`{id, displayName, ...}` of a credential's live models."""
    live_calls: LiveCalls | None = None
    request_limit: int = 0
    """Requests of one client in five minutes; 0 = no limit."""
    probe_app_env: Callable[[str], Awaitable[Mapping[str, Any] | None]] | None = None
    """Asks an application for its environment-variable schema (jambonz contract section 1.13)."""
