"""Access tokens that must not be taken: made from a real one, each with why it is refused."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jws, jwt
from moto.utilities.utils import load_resource

from adapters.cognito.issuer import EMULATOR_KID
from adapters.cognito.tokens import MAX_TOKEN

POOL_KEY = jwk.construct(load_resource("cognitoidp/resources/jwks-private.json"), "RS256")
"""The emulator's private key, which everybody has: so these tests can sign as the pool itself."""
OUR_KEY = jwk.construct(rsa.generate_private_key(65537, 2048), "RS256")


def segment(content: bytes | dict[str, Any]) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def resign(token: str, key: Any = POOL_KEY, header: Any = None, **changed: Any) -> str:
    """The same token with other claims (None leaves one out), signed again."""
    claims = {name: value for name, value in (jwt.get_unverified_claims(token) | changed).items() if value is not None}
    return str(jws.sign(claims, key, {"kid": EMULATOR_KID} | (header or {}), "RS256"))


def hmac_signed(token: str, key: bytes) -> str:
    signing = f"{segment({'alg': 'HS256', 'kid': EMULATOR_KID})}.{token.split('.')[1]}"
    return f"{signing}.{segment(hmac.digest(key, signing.encode(), 'sha256'))}"


def public(encoding: form.Encoding) -> bytes:
    key = POOL_KEY.public_key().prepared_key
    return bytes(key.public_bytes(encoding, form.PublicFormat.SubjectPublicKeyInfo))


def swapped(token: str, place: int) -> str:
    """The token with one character in the middle of a segment changed."""
    parts = token.split(".")
    middle = len(parts[place]) // 2
    parts[place] = parts[place][:middle] + ("A" if parts[place][middle] != "A" else "B") + parts[place][middle + 1 :]
    return ".".join(parts)


def with_claims(token: str, **changed: Any) -> str:
    """The token with other claims under the old signature."""
    header, _, signature = token.split(".")
    return f"{header}.{segment(jwt.get_unverified_claims(token) | changed)}.{signature}"


HOSTILE: dict[str, tuple[str, Callable[[str], str]]] = {
    "alg none": ("not a compact", lambda t: f"{segment({'alg': 'none', 'kid': 'dummy'})}.{t.split('.')[1]}."),
    "alg none, signed": ("algorithm", lambda t: f"{segment({'alg': 'none', 'kid': 'dummy'})}.{t.split('.', 1)[1]}"),
    "alg as a list": ("algorithm", lambda t: f"{segment({'alg': ['RS256'], 'kid': 'dummy'})}.{t.split('.', 1)[1]}"),
    "HS256 with the PEM": ("algorithm", lambda t: hmac_signed(t, public(form.Encoding.PEM))),
    "HS256 with the DER": ("algorithm", lambda t: hmac_signed(t, public(form.Encoding.DER))),
    "RS512": ("algorithm", lambda t: f"{segment({'alg': 'RS512', 'kid': 'dummy'})}.{t.split('.', 1)[1]}"),
    "own key": ("signature", lambda t: resign(t, OUR_KEY)),
    "own key in the header": ("signature", lambda t: resign(t, OUR_KEY, {"jwk": OUR_KEY.public_key().to_dict()})),
    "own key by address": ("unknown key", lambda t: resign(t, OUR_KEY, {"kid": "x", "jku": "http://127.0.0.1:1/"})),
    "unknown kid": ("unknown key", lambda t: resign(t, header={"kid": "another"})),
    "no kid": ("no key id", lambda t: resign(t, header={"kid": None})),
    "critical extension": ("critical", lambda t: resign(t, header={"crit": ["b64"], "b64": False})),
    "wrong issuer": ("issuer", lambda t: resign(t, iss="https://cognito-idp.ap-northeast-1.amazonaws.com/other")),
    "issuer as prefix": ("issuer", lambda t: resign(t, iss=jwt.get_unverified_claims(t)["iss"] + "/")),
    "wrong client": ("another client", lambda t: resign(t, client_id="other")),
    "client as audience": ("another client", lambda t: resign(t, client_id=None, aud="other")),
    "refresh use": ("not an access", lambda t: resign(t, token_use="refresh")),
    "expired": ("expired", lambda t: resign(t, exp=int(datetime.now(UTC).timestamp()) - 61)),
    "no expiry": ("exp is not", lambda t: resign(t, exp=None)),
    "expiry true": ("exp is not", lambda t: resign(t, exp=True)),
    "expiry infinite": ("exp is not", lambda t: resign(t, exp=float("inf"))),
    "future nbf": ("future", lambda t: resign(t, nbf=int(datetime.now(UTC).timestamp()) + 90)),
    "future iat": ("future", lambda t: resign(t, iat=int(datetime.now(UTC).timestamp()) + 90)),
    "no iat": ("iat is not", lambda t: resign(t, iat=None)),
    "no subject": ("sub is missing", lambda t: resign(t, sub="")),
    "groups as text": ("groups", lambda t: resign(t, **{"cognito:groups": "admin"})),
    "claims as a list": ("not an object", lambda t: str(jws.sign(b"[]", POOL_KEY, {"kid": "dummy"}, "RS256"))),
    "claims not JSON": ("not JSON", lambda t: str(jws.sign(b"\xff", POOL_KEY, {"kid": "dummy"}, "RS256"))),
    "made admin": ("signature", lambda t: with_claims(t, **{"cognito:groups": ["admin"]})),
    "tampered header": ("", lambda t: swapped(t, 0)),
    "tampered payload": ("signature", lambda t: swapped(t, 1)),
    "tampered signature": ("signature", lambda t: swapped(t, 2)),
    "no signature": ("not a compact", lambda t: t.rsplit(".", 1)[0]),
    "oversized": ("too long", lambda t: resign(t, pad="x" * MAX_TOKEN)),
    "enormous": ("too long", lambda t: "A" * 10_000_000),
    "JWE": ("not a compact", lambda t: f"{segment({'alg': 'dir', 'enc': 'A128GCM', 'zip': 'DEF'})}..a.b.c"),
    "nested header": ("header", lambda t: f"{segment(b'[' * 5900)}.a.b"),
    "nested claims": ("not JSON", lambda t: str(jws.sign(b"[" * 5000, POOL_KEY, {"kid": "dummy"}, "RS256"))),
    "huge number": ("header", lambda t: f"{segment(b'9' * 5900)}.a.b"),
    "header a list": ("header", lambda t: f"{segment(b'[]')}.a.b"),
    "header not text": ("header", lambda t: f"{segment(bytes([255] * 9))}.a.b"),
    "odd base64": ("header", lambda t: "a.a.a"),
    "empty": ("not a compact", lambda t: ""),
    "dots": ("not a compact", lambda t: ".."),
    "kanji": ("not a compact", lambda t: "認.証.鍵"),
    "lone surrogate": ("not a compact", lambda t: "\ud800.a.b"),
    "another spelling": ("not a compact", lambda t: t + "!"),
    "line end": ("not a compact", lambda t: t + "\n"),
}


def parts_of(*tokens: str) -> set[str]:
    """Whatever of tokens must be in no log: their segments, the short ones left out."""
    return {part for token in tokens for part in token.strip().split(".") if len(part) > 8}
