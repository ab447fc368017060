import os
import subprocess
import sys
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from infra.demo.marketplace import Marketplace, generate
from infra.demo.times import ORDER_MONTHS, REFERENCE
from infra.demo.words import affinities, departments, shop_names

ROOT = Path(__file__).parents[2]
OF_SIXTY = "9177adeb146183f4a15c62e9c23f1e1d"
PRINT_DIGEST = "from tests.demo.test_marketplace import digest; print(digest(60, 1))"


def digest(products: int, seed: int) -> str:
    """Everything that a marketplace has, in a few letters."""
    hashed = blake2b(digest_size=16)
    for stage in generate(products, seed).stages():
        for row in stage.rows():
            hashed.update(repr((stage.name, row)).encode())
    return hashed.hexdigest()


def rows(marketplace: Marketplace, name: str) -> list[dict[str, Any]]:
    stage = next(stage for stage in marketplace.stages() if stage.name == name)
    return [dict(zip(stage.columns, row, strict=True)) for row in stage.rows()]


@pytest.fixture(scope="module")
def marketplace() -> Marketplace:
    return generate(600)


def test_the_same_arguments_make_the_same_marketplace() -> None:
    assert digest(60, 1) == digest(60, 1) == OF_SIXTY


def test_another_seed_makes_another_marketplace() -> None:
    assert digest(60, 2) != OF_SIXTY


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_the_hash_seed_of_python_has_no_say(hash_seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", PRINT_DIGEST], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == OF_SIXTY


def test_stages_know_how_many_rows_they_have(marketplace: Marketplace) -> None:
    for stage in marketplace.stages():
        assert stage.total() == len(list(stage.rows())), stage.name


def test_a_bigger_marketplace_begins_with_the_products_of_the_smaller_one(marketplace: Marketplace) -> None:
    small = rows(generate(60), "products")
    assert small == rows(marketplace, "products")[:60]


def test_an_empty_marketplace_has_people_and_no_trade() -> None:
    empty = generate(0)
    assert len(rows(empty, "users")) >= 200
    assert rows(empty, "orders") == rows(empty, "reviews") == rows(empty, "favorites") == []


def test_an_address_is_one_users_however_it_is_written(marketplace: Marketplace) -> None:
    addresses = [row["email"].lower() for row in rows(marketplace, "users")]
    assert len(set(addresses)) == len(addresses)


def test_slugs_are_ascii_and_belong_to_one_product(marketplace: Marketplace) -> None:
    slugs = [row["slug"] for row in rows(marketplace, "products")]
    assert len(set(slugs)) == len(slugs)
    assert all(slug.replace("-", "").isalnum() and slug.isascii() and slug == slug.lower() for slug in slugs)


def test_skus_are_unique_within_a_seller_and_some_are_shared_between_two(marketplace: Marketplace) -> None:
    products = rows(marketplace, "products")
    assert max(Counter((row["seller_id"], row["sku"]) for row in products).values()) == 1
    assert max(Counter(row["sku"] for row in products).values()) == 2


def test_prices_and_stock_are_what_the_tables_allow(marketplace: Marketplace) -> None:
    for row in rows(marketplace, "products"):
        assert 0 < (row["sale_price"] or row["base_price"]) <= row["base_price"]
        assert row["stock_quantity"] >= 0
        assert row["status"] in ("draft", "discontinued") or row["published_at"] is not None
        assert row["published_at"] is None or row["published_at"] <= REFERENCE


def test_a_product_with_variations_has_two_to_six_and_their_stock(marketplace: Marketplace) -> None:
    stock: dict[Any, list[int]] = {}
    for row in rows(marketplace, "product_variations"):
        assert row["price_adjustment"] >= 0
        stock.setdefault(row["product_id"], []).append(row["stock_quantity"])
    assert stock
    assert all(2 <= len(each) <= 6 for each in stock.values())
    of_products = {row["id"]: row["stock_quantity"] for row in rows(marketplace, "products")}
    assert all(sum(each) == of_products[id] for id, each in stock.items())


def test_order_totals_add_up_with_the_tax_inside(marketplace: Marketplace) -> None:
    lines: dict[Any, int] = {}
    for item in rows(marketplace, "order_items"):
        assert item["total_price"] == item["unit_price"] * item["quantity"]
        lines[item["order_id"]] = lines.get(item["order_id"], 0) + item["total_price"]
    orders = rows(marketplace, "orders")
    assert len(orders) == 420
    for order in orders:
        assert order["subtotal"] == lines[order["id"]]
        assert order["total_amount"] == order["subtotal"] + order["shipping_fee"]
        assert order["tax_amount"] == order["total_amount"] * 10 // 110
        assert order["ordered_at"].date().replace(day=1) in ORDER_MONTHS
    amounts = {payment["order_id"]: payment["amount"] for payment in rows(marketplace, "order_payments")}
    assert amounts == {order["id"]: order["total_amount"] for order in orders}


def test_histories_lead_to_the_state_the_order_is_in(marketplace: Marketplace) -> None:
    last: dict[Any, str] = {}
    for step in sorted(rows(marketplace, "order_status_histories"), key=lambda step: step["id"]):
        assert step["created_at"] < REFERENCE
        last[step["order_id"]] = step["status"]
    assert last == {order["id"]: order["status"] for order in rows(marketplace, "orders")}


def test_the_buyer_has_orders_in_every_state(marketplace: Marketplace) -> None:
    buyer = marketplace.accounts.buyer.id
    states = {order["status"] for order in rows(marketplace, "orders") if order["user_id"] == buyer}
    assert states == {"pending", "processing", "shipped", "delivered", "cancelled", "refunded"}


def test_nobody_reviews_a_product_twice_or_before_it_was_listed(marketplace: Marketplace) -> None:
    reviews = rows(marketplace, "reviews")
    assert max(Counter((row["user_id"], row["product_id"]) for row in reviews).values()) == 1
    listed = {row["id"]: row["published_at"] for row in rows(marketplace, "products")}
    assert all(listed[row["product_id"]] <= row["created_at"] <= REFERENCE for row in reviews)


def test_sellers_that_may_not_sell_show_nothing(marketplace: Marketplace) -> None:
    active = {row["id"] for row in rows(marketplace, "sellers") if row["status"] == "active"}
    shown = {row["seller_id"] for row in rows(marketplace, "products") if row["status"] == "active"}
    assert shown <= active


def test_word_lists_agree_with_each_other() -> None:
    leaves = [leaf.slug for each in departments() for leaf in each.leaves]
    sections = [section.slug for each in departments() for section in each.sections]
    slugs = [*leaves, *sections, *(each.slug for each in departments())]
    brands = [brand for each in departments() for brand in each.brands]
    assert len(set(slugs)) == len(slugs)
    assert len({brand.ascii for brand in brands}) == len(brands)
    assert {section for brand in brands for section in brand.sections} <= set(sections)
    assert {slug for group in affinities() for slug in group.leaves} <= set(leaves)
    assert {slug for shop in shop_names() for slug in shop.sells} <= set(slugs)
    assert len({shop.key for shop in shop_names()}) == len(shop_names())
