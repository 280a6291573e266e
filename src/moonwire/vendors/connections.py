"""Keeps what calls share per language-model endpoint: the warm HTTP connections and what was learned about it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

import aiohttp
from aiohttp.client_proto import ResponseHandler

from moonwire.ports.clock import Clock
from moonwire.ports.llm import ListedModel
from moonwire.vendors.proxies import proxy_for

_IDLE_CONNECTION_S = 60.0
_DNS_S = 300
_GONE_S = 600.0
_LISTED_S = 900.0
_FORMAL_END_S = 1.0
_MAX_KNOWN = 1000
"""Applications may bring a key per call; the oldest knowledge makes room."""


class EndpointKnowledge:
    """What one endpoint told about one key: which models live, which are gone, which parameters it refuses.

    Everything expires or is replaced by the next list; nothing here is asked for on a call's path.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._live: Mapping[str, ListedModel] = {}
        self._listed_at = 0.0
        self._gone_until: dict[str, float] = {}
        self._repairs: dict[str, frozenset[str]] = {}
        self.tier = ""
        """The account's rate tier, as far as the vendor tells it."""

    def learn_list(self, models: Mapping[str, ListedModel]) -> None:
        """Take the endpoint's own list; an empty one says nothing."""
        if models:
            self._live = dict(models)
            self._listed_at = self._clock.monotonic_s()
            self._gone_until = {model: until for model, until in self._gone_until.items() if model not in models}

    def learn_gone(self, model: str) -> None:
        """Remember for some minutes that the endpoint does not know the model."""
        self._gone_until[model] = self._clock.monotonic_s() + _GONE_S

    def learn_repair(self, model: str, repairs: frozenset[str]) -> None:
        """Remember what had to be left out or added for a model."""
        self._repairs[model] = repairs

    @property
    def live(self) -> Mapping[str, ListedModel]:
        """The endpoint's list, empty when it is unknown or old."""
        fresh = self._clock.monotonic_s() - self._listed_at < _LISTED_S
        return self._live if fresh else {}

    def is_gone(self, model: str) -> bool:
        """Whether the endpoint answered lately that it has no such model."""
        return self._gone_until.get(model, 0.0) > self._clock.monotonic_s()

    def repairs(self, model: str) -> frozenset[str]:
        """Return what earlier refusals taught about a model."""
        return self._repairs.get(model, frozenset())


class VendorConnections:
    """The process's language-model connections: one session per origin, one knowledge per address and key."""

    def __init__(self, clock: Clock, guarded: Callable[[], aiohttp.BaseConnector] | None = None) -> None:
        """Open nothing yet.

        Args:
            clock: for the age of what was learned.
            guarded: makes the connector for an origin that a user chose, not the operator; it checks addresses.
        """
        self._clock = clock
        self._guarded = guarded or _plain_connector
        self._sessions: dict[tuple[str, bool], aiohttp.ClientSession] = {}
        self._knowledge: dict[tuple[str, bytes], EndpointKnowledge] = {}
        self._ending: set[aiohttp.ClientResponse] = set()

    def let_end(self, response: aiohttp.ClientResponse) -> None:
        """Give a response that said everything a moment for its formal end, so that its connection can be reused."""
        self._ending.add(response)
        asyncio.get_running_loop().call_later(_FORMAL_END_S, self._drop, response)

    def _drop(self, response: aiohttp.ClientResponse) -> None:
        self._ending.discard(response)
        response.close()  # without effect when the end has come: the connection is back in the pool

    def session(self, base_url: str, *, guarded: bool = False) -> aiohttp.ClientSession:
        """Return the session of an address, made on first use; must be called on the running loop.

        Args:
            base_url: of the vendor.
            guarded: the address was chosen by a user, so that private ones are not open to it.
        """
        parts = urlsplit(base_url)
        origin = f"{parts.scheme}://{parts.netloc}"
        session = self._sessions.get((origin, guarded))
        if session is None or session.closed:
            proxy = proxy_for(base_url)
            # Behind a proxy it is the proxy that resolves and connects; its own address is the operator's choice.
            session = self._sessions[origin, guarded] = aiohttp.ClientSession(
                connector=self._guarded() if guarded and proxy is None else _plain_connector(),
                proxy=proxy,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                # A compressed event stream arrives late: the compressor waits for more.
                headers={"Accept-Encoding": "identity", "User-Agent": "moonwire"},
                auto_decompress=True,
            )
        return session

    def knowledge(self, base_url: str, api_key: str) -> EndpointKnowledge:
        """Return what is known about an address with a key; the key itself is not kept."""
        place = (base_url, hashlib.sha256(api_key.encode()).digest())
        found = self._knowledge.get(place)
        if found is None:
            if len(self._knowledge) >= _MAX_KNOWN:
                del self._knowledge[next(iter(self._knowledge))]
            found = self._knowledge[place] = EndpointKnowledge(self._clock)
        return found

    async def close(self) -> None:
        """Close every connection; running answers end with an error."""
        for response in list(self._ending):
            self._drop(response)
        sessions, self._sessions = list(self._sessions.values()), {}
        for session in sessions:
            await session.close()


class _Receiver(ResponseHandler):
    """aiohttp's, without a second run of the parser for every piece read: that is needed only after a pause."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        if self._reading_paused:
            super().resume_reading(resume_parser)


class _StreamConnector(aiohttp.TCPConnector):
    """Makes connections for answers that come in many small pieces, each read at once."""

    def __init__(self) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] - a socket factory's type
            limit=0, ttl_dns_cache=_DNS_S, keepalive_timeout=_IDLE_CONNECTION_S
        )
        # A tenth of what a streamed chunk costs (aiohttp 3.14); should the name change, only that is lost.
        self._factory = partial(_Receiver, loop=asyncio.get_running_loop())


def _plain_connector() -> aiohttp.BaseConnector:
    return _StreamConnector()
