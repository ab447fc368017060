"""What the AWS emulator keeps of DynamoDB, S3 and Cognito: dumped part by part, saved atomically, loaded back.

A part is one DynamoDB table, or all of another service, so that a cart changes without the feature tables being written
again. A manifest names the file of each part; it is replaced last, so a crash leaves the whole state before or after.
"""

import io
import json
import os
import pickle
from collections.abc import Collection, Mapping, MutableMapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

MANIFEST = "manifest.json"
# what a torn or foreign pickle raises
UNREADABLE = (
    OSError,
    EOFError,
    pickle.UnpicklingError,
    AttributeError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)
WHOLE_SERVICES = ("s3", "cognito-idp")
TABLE = "dynamodb"


class StateUnreadable(Exception):
    """The saved state is torn, or of another emulator version."""


def table_part(region: str, table: str) -> str:
    return f"{TABLE}/{region}/{table}"


def tables() -> dict[str, Any]:
    """Part name -> table, for every DynamoDB table there is now."""
    regions = _regions(TABLE)
    return {
        table_part(region, name): table for region, backend in regions.items() for name, table in backend.tables.items()
    }


def dump(parts: Collection[str]) -> dict[str, bytes]:
    """Pickle these parts; one that is no longer there is left out. Nothing may change meanwhile."""
    found = tables() | {service: dict(_regions(service)) for service in WHOLE_SERVICES}
    return {part: _pickled(found[part]) for part in parts if part in found}


def save(folder: Path, dumped: Mapping[str, bytes], present: Collection[str], generation: int) -> None:
    """Write the dumped parts, and a manifest that has them beside the unchanged ones of `present`."""
    files = {part: name for part, name in read_manifest(folder).items() if part in present}
    for number, (part, content) in enumerate(dumped.items()):
        files[part] = f"{generation}-{number}.pickle"
        _write(folder / files[part], content)
    manifest = {"moto": version("moto"), "parts": files}
    half = folder / f"{MANIFEST}.new"
    _write(half, json.dumps(manifest, indent=2).encode())
    half.replace(folder / MANIFEST)
    _sync_folder(folder)
    for file in folder.glob("*.pickle"):
        if file.name not in files.values():
            file.unlink()


def load(folder: Path) -> set[str]:
    """Put the saved state into the emulator and give the parts that were loaded. Raises StateUnreadable."""
    # everything is read before anything is set: a torn file must not leave half of a state behind
    try:
        parts = {part: pickle.loads((folder / name).read_bytes()) for part, name in read_manifest(folder).items()}
    except UNREADABLE as error:
        raise StateUnreadable(f"{type(error).__name__}: {error}") from error
    for part, content in parts.items():
        service, *place = part.split("/")
        if service == TABLE:
            region, name = place
            _regions(TABLE)[region].tables[name] = content
        else:
            for region, backend in content.items():
                _regions(service)[region] = backend
    return set(parts)


def read_manifest(folder: Path) -> dict[str, str]:
    """Part -> file name. Raises StateUnreadable."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        parts = manifest["parts"]
        saved_by = manifest["moto"]
    except FileNotFoundError:
        return {}
    except (ValueError, LookupError, TypeError) as error:
        raise StateUnreadable(f"{MANIFEST}: {error}") from error
    # pickles name classes and attributes of one version; another would load them half right
    if saved_by != version("moto"):
        raise StateUnreadable(f"saved by moto {saved_by}, this is {version('moto')}")
    return dict(parts)


def newest_generation(folder: Path) -> int:
    numbers = (file.name.split("-", 1)[0] for file in folder.glob("*-*.pickle"))
    return max((int(number) for number in numbers if number.isdigit()), default=0)


def _regions(service: str) -> MutableMapping[str, Any]:
    """Region -> emulated service. A region that is asked for is there."""
    backends: Any = get_backend(cast("Any", service))
    regions: MutableMapping[str, Any] = backends[DEFAULT_ACCOUNT_ID]
    return regions


class _Pickler(pickle.Pickler):
    """Knows how to write the one thing in there that pickle does not: user pools hold their signing key."""

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, RSAPrivateKey):
            pem = thing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            return read_key, (pem,)
        return NotImplemented


def read_key(pem: bytes) -> PrivateKeyTypes:
    """Named in saved states: it stays where it is. (The library's own function does not know its module.)"""
    return load_pem_private_key(pem, password=None)


def _pickled(thing: Any) -> bytes:
    out = io.BytesIO()
    _Pickler(out, protocol=pickle.HIGHEST_PROTOCOL).dump(thing)
    return out.getvalue()


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
