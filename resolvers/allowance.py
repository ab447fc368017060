"""Rate limits: whose bucket an operation draws on, and what is said when it is empty."""

import math
from collections import Counter, OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from domain.shared.rates import Charge, Limiter, Rate, RateLimited, Verdict
from domain.shared.refusals import Refusal, Unavailable
from engine.fairness.allowance import Bucket, Demand, NotAdmitted
from resolvers.context import Context
from resolvers.errors import explain

MAX_CREDITS = 10_000
"""Clients whose unused points are remembered by a process until they come again."""
MAX_ADDRESSES = 10_000
"""Addresses whose networks are remembered: to read one takes longer than all else that is decided here."""
NETWORK_V6 = 64
"""Bits of an IPv6 address that name a network: whoever has one has all of its addresses."""
COST = "cost"


@dataclass(frozen=True, slots=True)
class Rates:
    """How much is allowed: requests, points of cost, and the fields that have limits of their own, by their names."""

    requests: Rate
    cost: Rate
    limited: Mapping[str, Rate]
    at_once: int
    """Operations of one client that a process runs at the same time, so that nobody else waits behind all of them."""


class RateLimits:
    """The engine's `Allowance`, counted by the domain's `Limiter`.

    A user has a bucket wherever the requests come from. Whoever has not signed in shares one with the others of an address:
    guests make their identities as they please. Sign-ins and the like are counted by address for everybody.
    """

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._credits: OrderedDict[str, int] = OrderedDict()
        self._running: Counter[Hashable] = Counter()

    def client(self, context: Context) -> Hashable:
        return principal(context)

    def begin(self, context: Context) -> Hashable:
        who = principal(context)
        if self._running[who] >= self._rates.at_once:
            raise _refused(429, RateLimited(1), context, 1)
        self._running[who] += 1
        return who

    def end(self, client: Hashable) -> None:
        self._running[client] -= 1
        if self._running[client] == 0:
            del self._running[client]

    async def take(self, context: Context, demand: Demand) -> Bucket | None:
        """One round trip, and another where a user who is signed in calls a field with a limit of its own."""
        who = principal(context)
        limited = [Charge(self._rates.limited[name], amount) for name, amount in demand.limited.items()]
        charges = [Charge(self._rates.cost, self._less_credit(who, demand.cost))]
        if demand.requests:
            charges.append(Charge(self._rates.requests, demand.requests))
        if limited and (where := address_of(context)) != who:
            await self._charge(context, where, limited)
            limited = []
        verdict = await self._charge(context, who, [*charges, *limited])
        cost = verdict.standings[COST]
        return Bucket(cost.capacity, cost.remaining, self._rates.cost.per_s)

    async def take_request(self, limiter: Limiter, address: str | None) -> float:
        """One request that is no operation, out of its address's bucket; in how many seconds to come again where that is empty."""
        verdict = await limiter.take(network_of(address), [Charge(self._rates.requests)])
        return 0.0 if verdict.retry_after_s is None else max(1.0, verdict.retry_after_s)

    def settle(self, context: Context, bucket: Bucket | None, unused: int) -> Bucket | None:
        """Points that were not used count for the client's next operation in this process."""
        if bucket is None or unused == 0:
            return bucket
        who = principal(context)
        credit = min(self._credits.get(who, 0) + unused, bucket.maximum - bucket.available)
        self._credits[who] = credit
        self._credits.move_to_end(who)
        if len(self._credits) > MAX_CREDITS:
            self._credits.popitem(last=False)
        return Bucket(bucket.maximum, bucket.available + credit, bucket.restore_rate)

    def _less_credit(self, who: str, cost: int) -> int:
        credit = self._credits.pop(who, 0)
        if credit > cost:
            self._credits[who] = credit - cost
        return max(0, cost - credit)

    async def _charge(self, context: Context, who: str, charges: list[Charge]) -> Verdict:
        try:
            verdict = await context.services.limiter.take(who, charges)
        except Unavailable as outage:
            raise _refused(503, outage, context, 1) from outage
        if verdict.retry_after_s is not None:
            raise _refused(429, RateLimited(verdict.retry_after_s), context, verdict.retry_after_s)
        return verdict


def principal(context: Context) -> str:
    """Who pays: the user, or for all who have not signed in their address."""
    user_id = context.viewer.user_id
    return f"user:{user_id}" if user_id is not None else address_of(context)


def address_of(context: Context) -> str:
    """The address that a request came from, or the network of an IPv6 address."""
    return network_of(context.address)


@lru_cache(MAX_ADDRESSES)
def network_of(text: str | None) -> str:
    """The name that an address, or a network of IPv6 addresses, is counted by."""
    try:
        address = ip_address(text or "")
    except ValueError:  # a Unix socket, or a test's client
        return f"address:{text}"
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if isinstance(address, IPv6Address):
        return f"address:{ip_network((address, NETWORK_V6), strict=False).network_address}"
    return f"address:{address}"


def _refused(status: int, refusal: Refusal, context: Context, after_s: float) -> NotAdmitted:
    error = explain(refusal, context.language)
    assert error is not None
    seconds = max(1, math.ceil(after_s))
    error["extensions"]["retryAfter"] = seconds
    return NotAdmitted(status, error, {"retry-after": str(seconds)})
