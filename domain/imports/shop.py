"""The seller that the imported invoices belong to, and how its orders and customers are called here."""

from domain.imports.keys import fixed_key
from domain.shared.ids import SellerId, UserId

SELLER_ID = SellerId(fixed_key("seller", "online retail"))
SELLER_NAME = "Online Retail (UCI)"
SELLER_EMAIL = "shop@online-retail.invalid"
SELLER_DESCRIPTION = (
    "A gift shop in the United Kingdom; its real invoices of 2009 to 2011. Data: Chen, D. (2019), Online Retail II, "
    "UCI Machine Learning Repository, doi 10.24432/C5CG6D, CC BY 4.0."
)


def order_number(invoice: str) -> str:
    """`OR-489434`. Orders placed here are never numbered with this prefix."""
    return f"OR-{invoice}"


def user_id(customer: int) -> UserId:
    return UserId(fixed_key("user", str(customer)))


def user_email(customer: int) -> str:
    """An address that no mail can reach: .invalid is reserved for that (RFC 2606)."""
    return f"customer-{customer}@online-retail.invalid"
