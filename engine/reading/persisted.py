"""Documents named instead of sent: trusted ones from a manifest, and automatic persisted queries by their SHA-256.

A manifest is a JSON object from a document's id to its text, as the client preset of GraphQL Code Generator writes it. Automatic
persisted queries follow Apollo's protocol (`extensions.persistedQuery`, version 1) and its errors.
"""

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import orjson
from graphql import GraphQLError

from engine.reading.documents import Admit, Document, Documents

SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_REGISTERED_A_MINUTE = 60
"""That one process stores for all: a flood of new documents runs, and is not kept."""
SHOWN = 3


class WrongManifest(Exception):
    """The manifest of trusted documents cannot be used. Says what is wrong with which document."""


class Registered(Protocol):
    """Texts by their hash, which all processes share. Neither call raises: what is away knows nothing."""

    async def get(self, sha256: str) -> str | None: ...

    async def put(self, sha256: str, text: str) -> None: ...


def trusted_documents(path: Path, documents: Documents) -> Mapping[str, Document]:
    """The documents of a manifest by id, read. Raises WrongManifest."""
    try:
        manifest = orjson.loads(path.read_bytes())
    except OSError as error:
        raise WrongManifest(f"{path} cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise WrongManifest(f"{path} is not JSON: {error}") from error
    if not isinstance(manifest, dict) or not all(isinstance(text, str) for text in manifest.values()):
        raise WrongManifest(f"{path} is not a JSON object from ids to texts")
    read = {id: documents.read_trusted(text) for id, text in manifest.items()}
    wrong = [
        f"{id}: {' '.join(document.errors[0].message.split())}" for id, document in read.items() if document.errors
    ]
    if wrong:
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise WrongManifest(f"{path} has documents that cannot run: {'; '.join(wrong[:SHOWN])}{more}")
    return read


def refusal(message: str, code: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})


class PersistedDocuments:
    """Finds the document of a request. `only_trusted`: no other runs. `automatic`: clients may register theirs."""

    def __init__(
        self,
        documents: Documents,
        trusted: Mapping[str, Document],
        *,
        only_trusted: bool = False,
        automatic: bool = True,
        registered: Registered | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._documents = documents
        self._trusted = trusted
        self._only_trusted = only_trusted
        self._automatic = automatic
        self.registered = registered
        self._clock = clock
        self._minute, self._stored = 0, 0

    async def find(self, text: str, id: str | None, admit: Admit) -> Document:
        """By id, by text, or by both, which registers the text; `admit` is asked before it costs anything.

        Raises GraphQLError, Busy, and what `admit` raises.
        """
        trusted = self._trusted.get(id) if id is not None else None
        if trusted is not None:
            return trusted
        if self._only_trusted:
            raise refusal("Only documents of the manifest may run: send the id of one.", "DOCUMENT_NOT_TRUSTED")
        if id is None:
            return await self._documents.get(text, admit)
        if not self._automatic:
            raise refusal("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
        sha256 = id.lower()
        return await (self._register(text, sha256, admit) if text else self._registered(sha256, admit))

    async def _registered(self, sha256: str, admit: Admit) -> Document:
        if SHA256.fullmatch(sha256):
            known = self._documents.known(bytes.fromhex(sha256))
            if known is not None:
                return known
            await admit(0)
            text = await self.registered.get(sha256) if self.registered else None
            if text is not None and _sha256(text) == sha256:  # whatever else can write there
                return await self._documents.get(text, admit)
        raise refusal("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")

    async def _register(self, text: str, sha256: str, admit: Admit) -> Document:
        if _sha256(text) != sha256:
            raise refusal("The hash is not that of the document.", "PERSISTED_QUERY_HASH_MISMATCH")
        document = await self._documents.get(text, admit)
        if self.registered and not document.errors and self._may_store():
            await self.registered.put(sha256, text)
        return document

    def _may_store(self) -> bool:
        minute = int(self._clock() // 60)
        self._stored = self._stored + 1 if minute == self._minute else 1
        self._minute = minute
        return self._stored <= MAX_REGISTERED_A_MINUTE


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
