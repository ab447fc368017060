"""Prices as Japanese shops write them. All amounts in yen, tax included."""

from random import Random

ON_SALE = 0.15
DISCOUNTS = (5, 10, 10, 15, 20, 20, 30, 40)
"""Percent off; some are more usual than others."""


def price_in(random: Random, low: int, high: int) -> int:
    """A price from low to high, the lower ones more often."""
    share = random.random()
    return neat(random, low + int((high - low) * share * share))


def neat(random: Random, yen: int) -> int:
    """The price near an amount that looks like a price: 498, 1,280, 3,300, 12,800."""
    if yen < 1_000:
        return yen // 100 * 100 + random.choice((80, 98, 80, 50, 28))
    if yen < 10_000:
        if random.random() < 0.2:
            return max(yen // 1_100, 1) * 1_100  # a round price before tax
        hundreds = yen // 100 - (yen // 100 % 10 == 0)  # 7,980 rather than 8,080
        return hundreds * 100 + random.choice((80, 80, 80, 98, 0, 50))
    return yen // 1_000 * 1_000 + random.choice((800, 800, 500, 980, 0, 200))


def sale_price(random: Random, base: int) -> int:
    """A lower price; never above the base price, never nothing."""
    return max(base * (100 - random.choice(DISCOUNTS)) // 100 // 10 * 10, 1)


def dearer(base: int, percent: int) -> int:
    """What is added to a price for a bigger variant."""
    return base * percent // 100 // 10 * 10
