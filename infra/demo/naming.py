"""How products are called: names for shoppers, slugs for addresses, codes as makers give them."""

from dataclasses import dataclass
from random import Random

from infra.demo.words import Noun, Term

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without I, L, O and U (Douglas Crockford), which are easily misread."""
SUFFIX_BITS, SUFFIX_FACTOR = 25, 0x9E3779B1
"""The factor is odd, so that no two indexes below 2**25 have one suffix."""
TAGS = ("公式", "期間限定", "数量限定", "ギフト", "新商品", "まとめ買い", "店長おすすめ", "メール便")
JOINS_DIRECTLY = ("の", "い", "た", "る", "な", "き", "向け")
"""Endings after which a noun follows without a space."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The words that a product's name is made of. `variant` is None where its variations have the variants."""

    brand: Term | None
    adjective: str
    noun: Noun
    code: str | None
    variant: str | None
    color: str | None
    style: int

    @property
    def item(self) -> str:
        """Adjective and noun."""
        between = "" if self.adjective.endswith(JOINS_DIRECTLY) else " "
        return f"{self.adjective}{between}{self.noun.text}"


def full_name(wording: Wording) -> str:
    """As on a product's page: mostly brand, goods, code, variant."""
    brand = wording.brand.text if wording.brand else None
    ends = [wording.code, wording.variant, wording.color]
    if wording.style < 12:
        parts = [f"【{TAGS[wording.style % len(TAGS)]}】{wording.item}", *ends, brand]
    elif wording.style < 30:
        parts = [wording.item, *ends, f"({brand})" if brand else None]
    elif wording.style < 36:
        parts = [brand, wording.noun.text, f"〈{wording.adjective.removesuffix('の')}〉", *ends]
    else:
        parts = [brand, wording.item, *ends]
    return " ".join(part for part in parts if part)


def slug_of(wording: Wording, index: int) -> str:
    """Readable and ASCII; the last part is the product's own."""
    variant = wording.variant.lower() if wording.variant and wording.variant.isascii() else ""
    variant = "".join(letter if letter.isalnum() else "-" for letter in variant).strip("-")
    suffix = base32(index * SUFFIX_FACTOR % (1 << SUFFIX_BITS), SUFFIX_BITS // 5).lower()
    return "-".join(
        part for part in (wording.brand and wording.brand.ascii, wording.noun.ascii, variant, suffix) if part
    )


def code_of(random: Random, brand: Term | None) -> str:
    """A model number, such as KT-2050W."""
    letters = (brand.ascii if brand else "jp").replace("-", "").upper()[:2]
    return f"{letters}{random.choice(('-', ''))}{random.randrange(10, 99)}{random.choice('05')}{random.choice(('', 'W', 'S', 'X', 'J'))}"


def base32(number: int, digits: int) -> str:
    return "".join(CROCKFORD[number >> 5 * place & 31] for place in reversed(range(digits)))
