"""Decides which source address of received packets is the peer's (symmetric RTP, RFC 4961).

Behind NAT the real address differs from the one in the SDP. The announced address is believed at once, any other one
only after consecutive packets of one stream, and a change in mid-call only when the earlier source has gone quiet.
"""

from __future__ import annotations

Address = tuple[str, int]

_PROOF_PACKETS = 2
_PROOF_PACKETS_LATER = 5
_QUIET_TICKS = 50
"""A latched source that sent nothing for one second may be replaced."""
_MAX_CHANGES = 8


class SourceLatch:
    """One session's view of where the peer is."""

    __slots__ = ("_announced", "_candidate", "_changes_left", "_proof", "_quiet_ticks", "_stream", "source")

    def __init__(self) -> None:
        self.source: Address | None = None
        """Where packets really come from; None until known."""
        self._announced: Address | None = None
        self._candidate: Address | None = None
        self._stream = (0, 0)
        self._proof = 0
        self._quiet_ticks = 0
        self._changes_left = _MAX_CHANGES

    def announce(self, address: Address) -> None:
        """Take the address of the peer's SDP; a new one forgets what was learnt."""
        if address != self._announced:
            self._announced = address
            self.source = None
            self._candidate = None
            self._changes_left = _MAX_CHANGES

    def on_tick(self) -> None:
        """Let 20 ms pass."""
        self._quiet_ticks += 1

    def admit(self, address: Address, ssrc: int, sequence: int) -> bool:
        """Say whether a well-formed packet from `address` belongs to this call; learns from it."""
        if address == self.source:
            self._quiet_ticks = 0
            return True
        if address == self._announced:
            needed = 1 if self.source is None else _PROOF_PACKETS
        elif self.source is None:
            needed = _PROOF_PACKETS
        elif self._quiet_ticks >= _QUIET_TICKS and self._changes_left:
            needed = _PROOF_PACKETS_LATER
        else:
            return False
        follows = self._candidate == address and self._stream == (ssrc, (sequence - 1) & 0xFFFF)
        self._proof = self._proof + 1 if follows else 1
        self._candidate = address
        self._stream = (ssrc, sequence)
        if self._proof < needed:
            return False
        if self.source is not None:
            self._changes_left -= 1
        self.source = address
        self._quiet_ticks = 0
        return True
