"""Decides which local UDP port a call gets: even ones, oldest first, none again before its guard time is over."""

from __future__ import annotations

import socket
from collections import deque

from moonwire.errors import CallError
from moonwire.ports.clock import Clock

GUARD_S = 2.0
"""Packets of the last call on a port must not reach the next one."""
_DSCP_EXPEDITED = 46 << 2
"""Voice goes first where routers look at it (RFC 3246)."""


class PortPool:
    """The even ports of one range."""

    def __init__(self, *, port_min: int, port_max: int, clock: Clock) -> None:
        self._clock = clock
        self._free = deque(range(port_min + port_min % 2, port_max + 1, 2))
        self._resting: deque[tuple[float, int]] = deque()

    def bind(self, local_address: str) -> tuple[socket.socket, int]:
        """Return a bound, non-blocking socket and its port.

        Raises:
            CallError: no port is left (reason `no-ports`).
        """
        now_s = self._clock.monotonic_s()
        while self._resting and self._resting[0][0] <= now_s:
            self._free.append(self._resting.popleft()[1])
        family = socket.AF_INET6 if ":" in local_address else socket.AF_INET
        for _ in range(len(self._free)):
            port = self._free.popleft()
            endpoint = socket.socket(family, socket.SOCK_DGRAM)
            try:
                endpoint.bind((local_address, port))
            except OSError:  # another program has it
                endpoint.close()
                self._free.append(port)
                continue
            endpoint.setblocking(False)
            if family == socket.AF_INET:
                endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _DSCP_EXPEDITED)
            return endpoint, port
        raise CallError(f"no free RTP port on {local_address}", reason="no-ports")

    def release(self, port: int) -> None:
        """Take a port back; it rests first."""
        self._resting.append((self._clock.monotonic_s() + GUARD_S, port))
