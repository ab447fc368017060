"""Where a user pool's tokens come from, and where it publishes the keys that sign them.

Source: Amazon Cognito developer guide, "Verifying JSON web tokens".
"""

EMULATOR_KID = "dummy"
"""Id of moto's signing key. Its private half ships in moto's wheel: whoever trusts it trusts everybody."""
EMULATOR_MODULUS = "60ececf17e149ab77be01dedd94c3fb8a0c33c70d4a78b1c3807b097c7c506be"
"""SHA-256 of that key's modulus, by which it is known under any id and with any exponent."""


def issuer_of(region: str, pool_id: str) -> str:
    """The `iss` of a pool's tokens. moto writes AWS's form too, whatever its own address."""
    return f"https://cognito-idp.{region}.amazonaws.com/{pool_id}"


def jwks_url_of(region: str, pool_id: str, endpoint_url: str = "") -> str:
    """Address of a pool's key set: below its issuer on AWS, below `endpoint_url` on an emulator."""
    base = f"{endpoint_url.rstrip('/')}/{pool_id}" if endpoint_url else issuer_of(region, pool_id)
    return f"{base}/.well-known/jwks.json"
