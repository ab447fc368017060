"""Categories, which the file does not have: derived from the words of a product's name."""

import re
from dataclasses import dataclass

from domain.imports.keys import fixed_key
from domain.shared.ids import CategoryId

ROOT = "Online Retail"
OTHER = "Other"

RULES = (
    ("Christmas", "christmas xmas yuletide advent santa reindeer rudolph snowman snowflake bauble nativity tinsel"),
    ("Easter", "easter bunny chick"),
    ("Jewellery", "necklace neckl bracelet earring bangle brooch pendant charm tiara hairclip hair diamante jewel"),
    ("Candles & Lights", "candle light lantern lamp lampshade candleholder candlepot candlestick chandelier incense"),
    ("Bags & Purses", "bag handbag washbag purse shopper tote rucksack luggage wallet"),
    ("Mugs & Cups", "mug cup teacup beaker tumbler"),
    (
        "Cards & Stationery",
        "card stationery notebook book pencil pen wrap ribbon tape sticker envelope journal paper paperweight letter "
        "tissue tag badge stencil",
    ),
    ("Bath & Wellbeing", "bathroom bath soap towel balm lavender scent scented hottie"),
    (
        "Kitchen & Dining",
        "bowl plate tea teapot coffee cake cookie cutter baking cooking jar cutlery spoon kitchen apron oven napkin "
        "lunch lunchbox bottle jug tray coaster dish tin bread toast toastrack egg breakfast recipe measuring glass "
        "dinner saucer doily doilies pan picnic food chocolate salt pepper placemat tablecloth cannister",
    ),
    ("Toys & Games", "toy doll jigsaw game domino skittle marble playhouse dinosaur puppet teddy soldier helicopter"),
    ("Party", "party bunting garland birthday confetti balloon"),
    ("Garden", "garden gardener gardening planter parasol birdhouse watering plant flowerpot hammock herb"),
    ("Textiles", "cushion cover rug doormat mat curtain quilt throw blanket doorstop umbrella filler"),
    (
        "Storage & Furniture",
        "box boxes drawer cabinet basket crate storage stand shelf rack stool table chair screen hook hanger",
    ),
    ("Frames, Clocks & Signs", "clock frame photoframe mirror mirrored sign photo picture plaque tile magnet album"),
    ("Decorations", "decoration dec heart flower ornament wreath feather vase bead angel wall trinket"),
)
"""Name and words; the first category one of whose words, or its plural, stands in the name."""


@dataclass(frozen=True, slots=True)
class Category:
    id: CategoryId
    parent_id: CategoryId | None
    name: str
    slug: str
    sort_order: int


def category_name(product_name: str) -> str:
    words = set(re.findall(r"[a-z]+", product_name.casefold()))
    singular = words | {word.removesuffix("s") for word in words}
    return next((name for name, wanted in RULES if not singular.isdisjoint(wanted.split())), OTHER)


def category_id(name: str) -> CategoryId:
    return CategoryId(fixed_key("category", name))


def tree() -> tuple[Category, ...]:
    """The root first, then its children in the order of the rules."""
    root = Category(category_id(ROOT), None, ROOT, "online-retail", 0)
    names = [*(name for name, _ in RULES), OTHER]
    children = (Category(category_id(name), root.id, name, _slug(name), place) for place, name in enumerate(names))
    return (root, *children)


def _slug(name: str) -> str:
    return "-".join(["online-retail", *re.findall(r"[a-z]+", name.casefold())])
