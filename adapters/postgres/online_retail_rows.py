"""What an import writes, as rows of our tables. `updated_at` is left to the database: the row is written now."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.imports import shop
from domain.imports.books import Invoice
from domain.imports.catalogue import STOCK, Product
from domain.imports.categories import tree
from domain.imports.keys import SHOP_OPENED, fixed_key, line_key, timed_key
from domain.imports.rows import CURRENCY
from domain.orders.model import OrderStatus, PaymentStatus

Row = Sequence[Any]

SELLER = ("id", "company_name", "email", "status", "approved_at", "created_at")
PROFILE = ("id", "seller_id", "description", "created_at")
CATEGORY = ("id", "parent_id", "name", "slug", "sort_order", "created_at")
PRODUCT = (
    "id",
    "seller_id",
    "category_id",
    "sku",
    "slug",
    "name",
    "currency",
    "base_price",
    "stock_quantity",
    "status",
    "published_at",
    "created_at",
)
USER = ("id", "email", "created_at")
ORDER = (
    "id",
    "order_number",
    "user_id",
    "currency",
    "subtotal",
    "total_amount",
    "status",
    "metadata",
    "ordered_at",
    "created_at",
)
PAYMENT = ("id", "order_id", "amount", "currency", "status", "paid_at", "created_at")
HISTORY = ("id", "order_id", "status", "note", "created_at")
LINE = (
    "id",
    "order_id",
    "product_id",
    "seller_id",
    "product_name",
    "currency",
    "quantity",
    "unit_price",
    "total_price",
    "fulfillment_status",
    "created_at",
)


def seller_row() -> Row:
    return (shop.SELLER_ID, shop.SELLER_NAME, shop.SELLER_EMAIL, "active", SHOP_OPENED, SHOP_OPENED)


def seller_profile_row() -> Row:
    return (fixed_key("seller profile", "online retail"), shop.SELLER_ID, shop.SELLER_DESCRIPTION, SHOP_OPENED)


def category_rows() -> list[Row]:
    return [(c.id, c.parent_id, c.name, c.slug, c.sort_order, SHOP_OPENED) for c in tree()]


def product_row(product: Product) -> Row:
    return (
        product.id,
        shop.SELLER_ID,
        product.category_id,
        product.sku,
        product.slug,
        product.name,
        CURRENCY,
        product.price,
        STOCK,
        "active",
        product.published_at,
        product.published_at,
    )


def user_row(customer: int, first_order: datetime) -> Row:
    return (shop.user_id(customer), shop.user_email(customer), first_order)


def order_row(invoice: Invoice) -> Row:
    """The invoice's number and country stay in the metadata."""
    subtotal = invoice.subtotal
    return (
        _order_id(invoice),
        shop.order_number(invoice.number),
        None if invoice.customer is None else shop.user_id(invoice.customer),
        CURRENCY,
        subtotal,
        subtotal,
        OrderStatus.DELIVERED.value,
        {"source": "online-retail", "invoice": invoice.number, "country": invoice.country},
        invoice.at,
        invoice.at,
    )


def payment_row(invoice: Invoice) -> Row:
    key = timed_key("payment", invoice.number, invoice.at)
    status = PaymentStatus.SUCCEEDED.value
    return (key, _order_id(invoice), invoice.subtotal, CURRENCY, status, invoice.at, invoice.at)


def history_row(invoice: Invoice) -> Row:
    key = timed_key("history", invoice.number, invoice.at)
    return (key, _order_id(invoice), OrderStatus.DELIVERED.value, "imported", invoice.at)


def line_rows(invoice: Invoice, products: Mapping[str, Product]) -> Iterator[Row]:
    """A line keeps the name it was sold under; one without takes the product's."""
    order_id = _order_id(invoice)
    for position, line in enumerate(invoice.lines):
        product = products[line.stock_code]
        yield (
            line_key(invoice.number, position, invoice.at),
            order_id,
            product.id,
            shop.SELLER_ID,
            line.name or product.name,
            CURRENCY,
            line.quantity,
            line.unit_price,
            line.quantity * line.unit_price,
            OrderStatus.DELIVERED.value,
            invoice.at,
        )


def _order_id(invoice: Invoice) -> UUID:
    return timed_key("order", invoice.number, invoice.at)
