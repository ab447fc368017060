"""Texts of mails, each in every language of the marketplace."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.shared.languages import Language


class Template(StrEnum):
    WELCOME = "welcome"
    ORDER_PLACED = "order_placed"
    ORDER_PAID = "order_paid"
    ORDER_SHIPPED = "order_shipped"
    ORDER_ITEM_CANCELLED = "order_item_cancelled"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_EXPIRED = "order_expired"
    ORDER_REFUNDED = "order_refunded"
    SELLER_NEW_ORDER = "seller_new_order"
    SELLER_STOCK_LOW = "seller_stock_low"


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it is read: plain text."""

    subject: str
    text: str


PLACE = re.compile(r"\{([a-z]+)\}")
ADDRESSED = {Language.JA: "{name} 様\n\n", Language.EN: "Dear {name},\n\n"}
LETTERS: Mapping[Template, Mapping[Language, Letter]] = {
    Template.WELCOME: {
        Language.JA: Letter(
            "ご登録ありがとうございます",
            "ご登録いただき、ありがとうございます。\nこのメールアドレスでログインして、お買い物をお楽しみいただけます。\n\n"
            "このメールにお心当たりがない場合は、破棄してください。\n",
        ),
        Language.EN: Letter(
            "Welcome",
            "Thank you for registering.\nYou can sign in with this mail address, and start shopping.\n\n"
            "If you know nothing of this, please ignore this mail.\n",
        ),
    },
    Template.ORDER_PLACED: {
        Language.JA: Letter(
            "ご注文を受け付けました（{number}）",
            "ご注文ありがとうございます。\n\nご注文番号: {number}\n{lines}\n合計: {amount}\n\nお支払いの確認後、発送の準備に入ります。\n",
        ),
        Language.EN: Letter(
            "We have your order {number}",
            "Thank you for your order.\n\nOrder: {number}\n{lines}\nTotal: {amount}\n\nIt is prepared once it is paid for.\n",
        ),
    },
    Template.ORDER_PAID: {
        Language.JA: Letter(
            "お支払いを確認しました（{number}）",
            "お支払いを確認しました。\n\nご注文番号: {number}\n{lines}\nお支払い金額: {amount}\n\n"
            "発送しましたら、あらためてお知らせします。\n",
        ),
        Language.EN: Letter(
            "Order {number} is paid for",
            "We have your payment.\n\nOrder: {number}\n{lines}\nPaid: {amount}\n\nWe write again when something is on its way.\n",
        ),
    },
    Template.ORDER_SHIPPED: {
        Language.JA: Letter(
            "商品を発送しました（{number}）",
            "ご注文の商品を発送しました。\n\nご注文番号: {number}\n{lines}\n{tracking}",
        ),
        Language.EN: Letter(
            "Something of order {number} is on its way",
            "This has been sent to you.\n\nOrder: {number}\n{lines}\n{tracking}",
        ),
    },
    Template.ORDER_ITEM_CANCELLED: {
        Language.JA: Letter(
            "ご注文の一部がキャンセルされました（{number}）",
            "次の商品がキャンセルされました。お支払い済みの代金は返金いたします。\n\nご注文番号: {number}\n{lines}\n",
        ),
        Language.EN: Letter(
            "A part of order {number} was cancelled",
            "This was cancelled. What was paid for it goes back to you.\n\nOrder: {number}\n{lines}\n",
        ),
    },
    Template.ORDER_CANCELLED: {
        Language.JA: Letter(
            "ご注文がキャンセルされました（{number}）",
            "ご注文がキャンセルされました。お支払い済みの代金は返金いたします。\n\nご注文番号: {number}\n{lines}\n",
        ),
        Language.EN: Letter(
            "Order {number} was cancelled",
            "The order was cancelled. What was paid for it goes back to you.\n\nOrder: {number}\n{lines}\n",
        ),
    },
    Template.ORDER_EXPIRED: {
        Language.JA: Letter(
            "お支払い期限が過ぎました（{number}）",
            "期限までにお支払いを確認できなかったため、ご注文は取り消されました。\n\nご注文番号: {number}\n{lines}\n",
        ),
        Language.EN: Letter(
            "Order {number} was not paid for in time",
            "We had no payment in time, so the order has ended.\n\nOrder: {number}\n{lines}\n",
        ),
    },
    Template.ORDER_REFUNDED: {
        Language.JA: Letter(
            "返金のお知らせ（{number}）",
            "返金の手続きをいたしました。\n\nご注文番号: {number}\n返金額: {amount}\n\n明細への反映には数日かかることがあります。\n",
        ),
        Language.EN: Letter(
            "A refund for order {number}",
            "We have given money back.\n\nOrder: {number}\nRefund: {amount}\n\nIt may take some days to be seen on your statement.\n",
        ),
    },
    Template.SELLER_NEW_ORDER: {
        Language.JA: Letter(
            "新しい注文が入りました（{number}）",
            "発送をお待ちしている注文があります。\n\n注文番号: {number}\n{lines}\n",
        ),
        Language.EN: Letter(
            "A new order to be sent: {number}",
            "There is something to be sent.\n\nOrder: {number}\n{lines}\n",
        ),
    },
    Template.SELLER_STOCK_LOW: {
        Language.JA: Letter("在庫が少なくなりました（{product}）", "{product}の在庫が残り{left}点になりました。\n"),
        Language.EN: Letter("{product} is running low", "Of {product} there are {left} left.\n"),
    },
}


def letter(template: Template, language: Language, name: str | None, facts: Mapping[str, str] | None = None) -> Letter:
    """The letter to somebody, who may have told no name. `facts`: what it says in its places, by their names."""
    text = LETTERS[template][language]
    greeting = ADDRESSED[language].replace("{name}", name) if name else ""
    return Letter(_filled(text.subject, facts or {}), greeting + _filled(text.text, facts or {}))


def _filled(text: str, facts: Mapping[str, str]) -> str:
    # in one pass: what is filled in may have braces in it
    return PLACE.sub(lambda place: facts.get(place[1], ""), text)
