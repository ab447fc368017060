"""Order numbers: what buyers read out on the telephone."""

import re
import secrets

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Digits and capitals but 0, 1, I, L, O and U, which are taken for each other, or make words."""
LENGTH = 10
"""30^10 are 5.9 * 10^14: nobody finds one by guessing, and two alike are made again (the database knows)."""
MAX_TYPED = 40

_NOT_IN_IT = re.compile(r"[^0-9A-Z]")


def new_number() -> str:
    """Such as `7K3MB-9QXD2`."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{drawn[: LENGTH // 2]}-{drawn[LENGTH // 2 :]}"


def as_written(typed: str) -> str:
    """The number that somebody types, in whatever case and grouping; numbers of before, which have other forms, as they are."""
    trimmed = typed.strip()[:MAX_TYPED]
    plain = _NOT_IN_IT.sub("", trimmed.upper())
    if len(plain) != LENGTH or any(each not in ALPHABET for each in plain):
        return trimmed
    return f"{plain[: LENGTH // 2]}-{plain[LENGTH // 2 :]}"
