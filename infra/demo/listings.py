"""What is for sale: one listing for each product, with all that orders and reviews need to know of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from domain.shared.ids import ProductId, VariationId
from infra.demo.dice import Weighted, dice, key
from infra.demo.naming import Wording, code_of, full_name, slug_of
from infra.demo.prices import ON_SALE, dearer, neat, price_in, sale_price
from infra.demo.shops import Shop, Shops
from infra.demo.times import PRODUCT_DAYS, REFERENCE, waking_hour
from infra.demo.words import Leaf, departments

TWIN_EVERY, TWIN_OF = 25, 12
"""One product in 25 is what another seller sells too, under the same SKU: the one twelve places before it."""
DRAFT, DISCONTINUED, WITH_VARIATIONS, BRANDED = 0.03, 0.02, 0.20, 0.75
SOLD_OUT, NEARLY_SOLD_OUT = 0.06, 0.10
IMAGES = Weighted([(1, 30), (2, 35), (3, 22), (4, 13)])
QUALITIES = Weighted([(0, 4), (1, 12), (2, 34), (3, 38), (4, 12)])
MOST_VARIATIONS = 6


@dataclass(frozen=True, slots=True)
class Kind:
    """A variation. `extra` is added to the price of its product, in yen."""

    id: VariationId
    sku: str
    name: str
    values: dict[str, str]
    extra: int
    stock: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A product. `origin` is the index of the listing whose goods these are: its own, but for a twin.

    `rank` is from 0 (everybody wants it) to 1 (nobody does); `quality` from 0 to 4.
    """

    index: int
    origin: int
    id: ProductId
    leaf: Leaf
    shop: Shop
    wording: Wording
    sku: str
    slug: str
    name: str
    base_price: int
    sale_price: int | None
    stock: int
    status: str
    kinds: Sequence[Kind]
    images: int
    rank: float
    quality: int
    created_at: datetime
    published_at: datetime | None

    @property
    def price(self) -> int:
        return self.base_price if self.sale_price is None else self.sale_price

    def was_on_offer(self, at: datetime) -> bool:
        return self.published_at is not None and self.published_at < at


class Listings:
    """The products of a marketplace, made one after the other and then kept."""

    def __init__(self, seed: int, products: int, shops: Shops) -> None:
        self._seed = seed
        self._count = products
        self._shops = shops
        self._made: list[Listing] = []
        self._leaves = Weighted(
            (leaf, each.weight * 60 // sum(1 for _ in each.leaves)) for each in departments() for leaf in each.leaves
        )

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Listing]:
        for index in range(self._count):
            if index == len(self._made):
                self._made.append(self._make(index))
            yield self._made[index]

    def _make(self, index: int) -> Listing:
        random = dice(self._seed, "product", index)
        twin = self._made[index - TWIN_OF] if index % TWIN_EVERY == TWIN_EVERY - 1 else None
        leaf = twin.leaf if twin else self._leaves.pick(random)
        status = _status(random)
        shop = self._shop(random, leaf, status, twin.shop if twin else None)
        if twin and shop is twin.shop:
            twin = None  # the only seller of such goods
        return self._listing(random, index, twin, leaf, shop, status)

    def _listing(
        self, random: Random, index: int, twin: Listing | None, leaf: Leaf, shop: Shop, status: str
    ) -> Listing:
        wording = twin.wording if twin else _wording(random, leaf)
        origin = twin.index if twin else index
        sku = twin.sku if twin else f"{leaf.slug[:4].upper().rstrip('-')}-{index + 10_001:05d}"
        place = 0 if wording.variant is None else leaf.variants.index(wording.variant)
        low = price_in(random, *(wording.noun.price or leaf.price))
        own = low if place == 0 else neat(random, low + dearer(low, leaf.step * place))
        base = neat(random, twin.base_price * random.randrange(94, 107) // 100) if twin else own
        created = waking_hour(random, random.randrange(PRODUCT_DAYS))
        id = ProductId(key(created, self._seed, "product", index))
        stock = _stock(random)
        kinds = self._kinds(random, leaf, index, sku, base, created, stock) if wording.variant is None else ()
        rank = 1 - random.random()
        return Listing(
            index=index,
            origin=origin,
            id=id,
            leaf=leaf,
            shop=shop,
            wording=wording,
            sku=sku,
            slug=slug_of(wording, index),
            name=full_name(wording),
            base_price=base,
            sale_price=sale_price(random, base) if random.random() < ON_SALE else None,
            stock=sum(kind.stock for kind in kinds) if kinds else stock,
            status=status,
            kinds=kinds,
            images=IMAGES.pick(random),
            rank=rank,
            quality=QUALITIES.pick(random),
            created_at=created,
            published_at=None if status == "draft" else min(created + timedelta(hours=random.randrange(72)), REFERENCE),
        )

    def _shop(self, random: Random, leaf: Leaf, status: str, other: Shop | None) -> Shop:
        """Who sells it: a seller that may not sell has drafts or discontinued products only."""
        waiting, barred = self._shops.waiting_in(leaf.section), self._shops.barred_in(leaf.section)
        if status == "draft" and waiting and random.random() < 0.4:
            return random.choice(waiting)
        if status == "discontinued" and barred and random.random() < 0.7:
            return random.choice(barred)
        shop = self._shops.active_in(leaf.section).pick(random)
        if shop is other:
            shop = self._shops.active_in(leaf.section).pick(random)
        return shop

    def _kinds(
        self, random: Random, leaf: Leaf, index: int, sku: str, base: int, created: datetime, stock: int
    ) -> Sequence[Kind]:
        """Two to six of them: values along the leaf's axis, in one or two colours."""
        colors: Sequence[str | None] = random.sample(leaf.colors, min(2, len(leaf.colors))) if leaf.colors else (None,)
        values = [(place, value, color) for color in colors for place, value in enumerate(leaf.variants)]
        kinds = []
        for number, (place, value, color) in enumerate(values[:MOST_VARIATIONS], 1):
            kinds.append(
                Kind(
                    VariationId(key(created + timedelta(seconds=number), self._seed, "variation", index, number)),
                    f"{sku}-{number:02d}",
                    value if color is None else f"{color} / {value}",
                    {leaf.axis: value} if color is None else {leaf.axis: value, "色": color},
                    dearer(base, leaf.step * place),
                    0 if stock == 0 else _stock(random),
                )
            )
        return kinds


def _status(random: Random) -> str:
    share = random.random()
    if share < DRAFT:
        return "draft"
    return "discontinued" if share < DRAFT + DISCONTINUED else "active"


def _stock(random: Random) -> int:
    """Units: some have none, some are nearly gone, most have plenty."""
    share = random.random()
    if share < SOLD_OUT:
        return 0
    if share < SOLD_OUT + NEARLY_SOLD_OUT:
        return random.randrange(1, 6)
    plenty = random.random()
    return 6 + int(240 * plenty * plenty)


def _wording(random: Random, leaf: Leaf) -> Wording:
    brand = random.choice(leaf.brands) if leaf.brands and random.random() < BRANDED else None
    has_kinds = random.random() < WITH_VARIATIONS
    return Wording(
        brand=brand,
        adjective=random.choice(leaf.adjectives),
        noun=random.choice(leaf.nouns),
        code=code_of(random, brand) if leaf.department.codes and random.random() < 0.8 else None,
        variant=None if has_kinds else random.choice(leaf.variants),
        color=random.choice(leaf.colors) if leaf.colors and not has_kinds else None,
        style=random.randrange(100),
    )
