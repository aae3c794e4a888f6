"""Media put together: what telephony takes from this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from offhook.core.clock import Clock
from offhook.core.db.jobs import Handler
from offhook.core.db.pool import Database
from offhook.core.egress import Egress
from offhook.secrets import KeyRing
from offhook.telephony.accounts import Accounts
from offhook.telephony.media.fetching import InboundMedia
from offhook.telephony.media.foreign import ForeignMedia
from offhook.telephony.media.hosting import MediaHosting
from offhook.telephony.media.library import MediaLibrary
from offhook.telephony.media.media import Media
from offhook.telephony.media.signing import MediaSigner
from offhook.telephony.media.store import MediaPlace, MediaStore


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """What a deployment decides: where bytes are kept, and which keys sign addresses."""

    place: MediaPlace
    ring: KeyRing = field(repr=False)


@dataclass(frozen=True, slots=True)
class MediaPart:
    """One process's media. `media` is what messages are checked and sent with."""

    media: Media
    library: MediaLibrary
    inbound: InboundMedia
    hosting: MediaHosting

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {**self.library.handlers, **self.inbound.handlers}

    @property
    def services(self) -> Sequence[object]:
        """What the routes work with."""
        return (self.media, self.library, self.hosting)


def create_media(
    database: Database,
    accounts: Accounts,
    egress: Egress,
    options: MediaOptions,
    *,
    public_url: str | None,
    clock: Clock,
) -> MediaPart:
    store = MediaStore(options.place)
    signer = MediaSigner(options.ring, clock)
    library = MediaLibrary(database, store, clock)
    return MediaPart(
        media=Media(database, library, signer, ForeignMedia(egress, clock), public_url),
        library=library,
        inbound=InboundMedia(database, accounts, store, clock),
        hosting=MediaHosting(store, signer),
    )
