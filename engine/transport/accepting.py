"""What a client takes as an answer, by its `Accept` header (RFC 9110, 12.5.1), for each kind of operation.

An answer that is whole goes out whole wherever the client takes that as gladly; where several come, one after another, it is asked what
carries them. Among what it takes equally gladly, what it named first is taken.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from typing import TypeVar

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
MIXED = "multipart/mixed"
EVENT_STREAM = "text/event-stream"
MAX_HEADER = 2_000
"""Characters of `Accept` that are looked at: 60,000 of them took 15 ms, before anybody was asked to pay."""
MAX_KNOWN = 512
"""Characters of an Accept header whose meaning is remembered: clients of one kind send the same."""
T = TypeVar("T")
UTF8 = ("utf-8", "utf8")
WHOLE = (JSON, GRAPHQL_RESPONSE)
"""The media types of a single answer, what older clients expect first."""
STARS = ("application/*", "*/*")


class Carrier(StrEnum):
    """How answers that come one after another are carried, and in which form."""

    EVENTS = "events"
    """Server-sent events, as graphql-sse has them."""
    PARTS = "parts"
    """Multipart, each part a payload of incremental delivery in its present form."""
    PARTS_OF_2022 = "deferSpec=20220824"
    """Multipart, in the form of 2022."""
    SUBSCRIPTION_PARTS = "subscriptionSpec=1.0"
    """Multipart, as Apollo Client takes subscriptions."""

    @property
    def media(self) -> str:
        """The value of `Content-Type`. The boundary is last: GraphiQL takes all that follows for it."""
        return {
            Carrier.EVENTS: f"{EVENT_STREAM}; charset=utf-8",
            Carrier.PARTS: f'{MIXED}; incrementalSpec=v0.2; boundary="-"',
            Carrier.PARTS_OF_2022: f'{MIXED}; deferSpec=20220824; boundary="-"',
            Carrier.SUBSCRIPTION_PARTS: f'{MIXED}; subscriptionSpec=1.0; boundary="-"',
        }[self]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What to answer with, by the kind of operation; None where the client takes nothing that would do."""

    whole: str | None
    """The media type of a single answer."""
    parts: Carrier | None
    """Of a query with `@defer` or `@stream`, which go unheeded where it is None."""
    events: Carrier | None
    """Of a subscription."""

    @property
    def several(self) -> bool:
        """Whether there is anything that carries more than one answer, or one that is not taken whole."""
        return self.parts is not None or self.events is not None

    def carrier(self, *, is_subscription: bool) -> Carrier | None:
        return self.events if is_subscription else self.parts


class NotAcceptable(Exception):
    """Nothing that we answer with is taken."""


@dataclass(frozen=True, slots=True)
class _Offer:
    media: str
    parameters: dict[str, str]
    quality: float


def accepted(header: str | None) -> Accepted:
    """Raises NotAcceptable. An absent header and `*/*` mean application/json, as older clients expect."""
    if not header:
        return Accepted(JSON, None, None)
    return _known(header) if len(header) <= MAX_KNOWN else _accepted(header[:MAX_HEADER])


def _accepted(header: str) -> Accepted:
    named = [_offer(each) for each in header.split(",")]
    offers = [each for each in named if each.quality > 0]
    refused = {each.media for each in named if not each.quality > 0}
    whole, gladness = _best(offers, partial(_whole, refused))
    parts, parts_gladness = _best(offers, _parts)
    events, _ = _best(offers, _events)
    if whole is None and parts is None and events is None:
        raise NotAcceptable
    return Accepted(whole, parts if parts_gladness >= gladness else None, events)


_known = lru_cache(maxsize=256)(_accepted)


def _best(offers: list[_Offer], ours: Callable[[_Offer], T | None]) -> tuple[T | None, float]:
    best, gladness = None, 0.0
    for offer in offers:
        found = ours(offer)
        if found is not None and offer.quality > gladness:
            best, gladness = found, offer.quality
    return best, gladness


def _whole(refused: Set[str], offer: _Offer) -> str | None:
    """What is refused by its name is not meant by a star."""
    if offer.parameters.get("charset", "utf-8") not in UTF8:
        return None
    if offer.media in STARS:
        return next((each for each in WHOLE if each not in refused), None)
    return offer.media if offer.media in WHOLE else None


def _parts(offer: _Offer) -> Carrier | None:
    if offer.media == EVENT_STREAM:
        return Carrier.EVENTS
    if offer.media != MIXED or "subscriptionspec" in offer.parameters:
        return None
    # whoever names no form is older than the present one
    return Carrier.PARTS if "incrementalspec" in offer.parameters else Carrier.PARTS_OF_2022


def _events(offer: _Offer) -> Carrier | None:
    if offer.media == EVENT_STREAM:
        return Carrier.EVENTS
    is_apollos = offer.media == MIXED and offer.parameters.get("subscriptionspec") == "1.0"
    return Carrier.SUBSCRIPTION_PARTS if is_apollos else None


def _offer(text: str) -> _Offer:
    media, *rest = (part.strip().lower() for part in text.split(";"))
    pairs = [part.partition("=") for part in rest]
    parameters = {name.strip(): value.strip().strip('"') for name, _, value in pairs}
    try:
        quality = float(parameters.pop("q", "1"))
    except ValueError:
        quality = 0.0
    return _Offer(media, parameters, quality)
