"""Random passwords and keys of the embedded back ends, made once and kept in `secrets.json` (mode 0600)."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from infra.embedded.refusals import DataDirBroken

LATER = ("stripe_secret_key", "stripe_webhook_secret")
"""What an earlier release had not: made where it is missing, for nothing was made with it yet."""


@dataclass(frozen=True, slots=True)
class Credentials:
    postgres_superuser: str
    postgres_owner: str
    postgres_app: str
    postgres_worker: str
    valkey: str
    secret_key: str
    aws_access_key_id: str
    aws_secret_access_key: str
    stripe_secret_key: str
    stripe_webhook_secret: str

    @classmethod
    def random(cls) -> Self:
        passwords = {field.name: secrets.token_urlsafe(24) for field in fields(cls)}
        # the emulator checks no signature; the shape is Amazon's, so that no client stumbles over it
        shaped = {
            "secret_key": secrets.token_urlsafe(48),
            "aws_access_key_id": f"AKIA{secrets.token_hex(8).upper()}",
            "stripe_secret_key": f"sk_test_{secrets.token_hex(24)}",
            "stripe_webhook_secret": f"whsec_{secrets.token_hex(24)}",
        }
        return cls(**passwords | shaped)

    @classmethod
    def load_or_make(cls, file: Path) -> Self:
        """Raises DataDirBroken: what was made with lost passwords cannot be opened with new ones."""
        try:
            kept = json.loads(file.read_text())
            lacking = {
                name: value for name, value in asdict(cls.random()).items() if name in LATER and name not in kept
            }
            found = cls(**kept | lacking)
            if lacking:
                found._write(file)
            return found
        except FileNotFoundError:
            made = cls.random()
            made._write(file)
            return made
        except (ValueError, TypeError, OSError) as error:
            raise DataDirBroken(
                file, "cannot be read", "restore it, or remove the whole data folder to start anew"
            ) from error

    def _write(self, file: Path) -> None:
        half = file.with_suffix(".new")
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            json.dump(asdict(self), out, indent=2)
            out.flush()
            os.fsync(out.fileno())
        half.replace(file)
