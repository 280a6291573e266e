"""Decides which gateway takes an outbound call."""

from __future__ import annotations

from collections.abc import Sequence

from moonwire.ports.routes import OutboundRoute
from moonwire.store.directory import MemoryDirectory


class StoredRoutes:
    """Implements ports.routes.OutboundRoutes on the directory's picture of the database."""

    def __init__(self, directory: MemoryDirectory) -> None:
        self._directory = directory

    def route(self, account_sid: str, trunk: str | None) -> OutboundRoute | None:
        """Return the named carrier's first gateway, or the first of any carrier of the account."""
        carriers = [one for one in self._directory.stored.carriers if one.account_sid == account_sid and one.routes]
        if trunk is not None:
            carriers = [one for one in carriers if one.name == trunk]
        routes: Sequence[OutboundRoute] = carriers[0].routes if carriers else ()
        return routes[0] if routes else None
