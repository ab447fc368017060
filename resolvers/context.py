"""What an operation knows: who is looking, what it may call, and what it has loaded so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from strawberry.types import Info as StrawberryInfo

from domain.shared.languages import DEFAULT_LANGUAGE, Language
from domain.shared.viewer import Role, Viewer
from engine.declared.access import NOBODY_YET, Admission
from engine.transport.kept_token import ClientToken, HandedOut
from resolvers.loaders import Loaders
from resolvers.services import Services

MintGuest = Callable[[HandedOut], UUID]
"""Makes a guest identity, and hands it out."""


@dataclass(slots=True)
class Context:
    """Made anew for each operation, so that nothing loaded for one is seen by another."""

    services: Services
    viewer: Viewer
    mint_guest: MintGuest | None = None
    """None where an identity could not be handed out: over a socket that is open already."""
    language: Language = DEFAULT_LANGUAGE
    """In which people are told what was refused."""
    bearer: str | None = field(default=None, repr=False)
    """The viewer's access token, for what the user pool does on the viewer's behalf. Never printed, never logged."""
    address: str | None = None
    """Where the request came from, as the nearest trusted proxy has it."""
    device: ClientToken | None = None
    """What the client may show to be known by when it signs in."""
    handed_out: HandedOut = field(default_factory=dict)
    """Tokens for the client to keep; over a socket that is open already they go nowhere."""
    loaders: Loaders = field(init=False)
    admitted: Admission = field(init=False, default=NOBODY_YET)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.services, self.viewer)

    def needing(self, needs: Mapping[str, frozenset[str]]) -> None:
        """What of the values of each type the operation will look at; all of a type that is not there."""
        self.loaders.needs = needs

    @property
    def user_id(self) -> str | None:
        """For logs: whose operation it is."""
        return None if self.viewer.user_id is None else str(self.viewer.user_id)

    @property
    def may_trace(self) -> bool:
        """Whether the viewer may see how an operation ran."""
        return self.viewer.role is Role.ADMIN

    @property
    def shared_as(self) -> Language | None:
        """What shapes the public's answers besides the operation; None for viewers who see more than the public."""
        return self.language if self.viewer.is_public else None

    def renewed(self) -> "Context":
        return replace(self, handed_out={})

    def goes_on(self, before: "Context") -> None:
        """An event of a subscription that began in the context before: what a link has opened there stays open for it."""
        if before.viewer.order_ids:
            self.see_as(replace(self.viewer, order_ids=before.viewer.order_ids))

    def following(self, before: "Context") -> "Context":
        """Of another operation of the same request: an identity that was handed out before goes with it."""
        return replace(self, viewer=before.viewer, handed_out={})

    def directed(self, directives: Mapping[str, Mapping[str, Any]]) -> None:
        """What the operation itself asks for: `@inContext` wins over the request's headers."""
        language = directives.get("inContext", {}).get("language")
        if language is not None:
            self.language = Language(language)

    def known_viewer(self) -> Viewer:
        """The viewer, who becomes a guest with an identity if it had none: for what has to be kept for it."""
        if self.mint_guest and self.viewer.user_id is None and self.viewer.guest_id is None:
            self.viewer = replace(self.viewer, guest_id=self.mint_guest(self.handed_out))
        return self.viewer

    def see_as(self, viewer: Viewer) -> None:
        """Go on as somebody who may see more: by a link, say. What was loaded so far is loaded again where it is needed."""
        self.viewer = viewer
        self.loaders.see_as(viewer)

    def change_guest(self) -> UUID | None:
        """At sign-in a guest becomes another one, so that whoever signs out leaves nothing to the next: gives the old identity.

        What was kept for it is the user's to take over.
        """
        old = self.viewer.guest_id
        if old is None or self.mint_guest is None:
            return None
        self.viewer = replace(self.viewer, guest_id=self.mint_guest(self.handed_out))
        return old

    def shown_device(self) -> str | None:
        """What the client shows to be known by; nobody has vouched for it yet."""
        return None if self.device is None else self.device.sent()

    def keep_device(self, token: str | None) -> None:
        """Whoever signs in here is known by it the next time."""
        if token is not None and self.device is not None:
            self.handed_out[self.device.kept] = token


Info = StrawberryInfo[Context, None]
