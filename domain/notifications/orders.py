"""Writes of orders: to buyers what became of theirs, to sellers what they have to send and what runs low."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.events.ports import Delivery
from domain.notifications.ports import (
    Languages,
    Line,
    Mail,
    Mailer,
    Mails,
    OrderFacts,
    OrderLinks,
    OrdersTold,
    ProductsTold,
    Recipients,
    SellersTold,
)
from domain.notifications.service import Posting
from domain.notifications.shipping import ShippingMails, sent_together
from domain.notifications.templates import Letter, Template, letter
from domain.shared.clock import Clock
from domain.shared.events import EventRecord
from domain.shared.ids import OrderId, ProductId, SellerId
from domain.shared.languages import DEFAULT_LANGUAGE, Language
from domain.shared.money import Money

TO_BUYERS = {
    "OrderPlaced": Template.ORDER_PLACED,
    "OrderPaid": Template.ORDER_PAID,
    "OrderItemShipped": Template.ORDER_SHIPPED,
    "OrderItemCancelled": Template.ORDER_ITEM_CANCELLED,
    "OrderCancelled": Template.ORDER_CANCELLED,
    "OrderExpired": Template.ORDER_EXPIRED,
    "RefundSucceeded": Template.ORDER_REFUNDED,
}
"""What is written of which event of an order's stream."""
TO_SELLERS = {"OrderPaid": Template.SELLER_NEW_ORDER, "StockLow": Template.SELLER_STOCK_LOW}
"""And of a seller's."""
OF_ORDERS = frozenset({*TO_BUYERS.values(), *TO_SELLERS.values()})
GUESTS_LINK = {
    Language.JA: "\nご注文の状況はこちらでご確認いただけます（90日間有効。他の人に知らせないでください）:\n{link}\n",
    Language.EN: "\nFollow your order here (for 90 days; please keep it to yourself):\n{link}\n",
}
TRACKING = {
    Language.JA: "配送業者: {carrier}\nお問い合わせ番号: {number}\n",
    Language.EN: "Carrier: {carrier}\nTracking number: {number}\n",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A letter and whom it goes to."""

    mail: Mail
    address: str = field(repr=False)
    letter: Letter = field(repr=False)


class OrderMails:
    """The consumer of what happens to orders and to stock."""

    name = "order-mails"
    types = (frozenset(TO_BUYERS) | frozenset(TO_SELLERS)) - ShippingMails.types

    def __init__(
        self,
        orders: OrdersTold,
        sellers: SellersTold,
        products: ProductsTold,
        links: OrderLinks,
        recipients: Recipients,
        languages: Languages,
        mails: Mails,
        mailer: Mailer,
        clock: Clock,
    ) -> None:
        self._orders, self._sellers, self._products = orders, sellers, products
        self._links = links
        self._recipients = recipients
        self._languages = languages
        self._posting = Posting(mails, mailer, clock)
        self._clock = clock

    async def consume(self, delivery: Delivery) -> None:
        written = await self.written(delivery.record)
        if written is not None:
            await self._posting.send(written.mail, written.address, written.letter, delivery.reopened_at)

    async def written(self, record: EventRecord) -> Written | None:
        """What is to be sent of an event, as it is known now; None where nobody is written to. Raises Unavailable."""
        if (record.event.stream or "").startswith("seller/"):
            return await self._to_seller(record)
        # of the last item the order's own event tells
        is_told = record.event.type == "OrderItemCancelled" and record.event.payload.get("orderStatus") == "cancelled"
        return None if is_told or record.event.type not in TO_BUYERS else await self._to_buyer(record)

    async def _to_buyer(self, record: EventRecord) -> Written | None:
        event, order_id = record.event, OrderId(record.event.aggregate_id)
        order = await self._orders.order(order_id)
        if order is None:
            return None
        # Anybody can name anybody's address: a guest is written to from the payment on, lest orders be placed to send mails.
        address, name, language = order.email if order.is_paid else None, order.name, order.language
        if order.user_id is not None:
            recipient = await self._recipients.recipient(order.user_id)
            address, name = (None, None) if recipient is None else (recipient.email, recipient.name)
            language = await self._languages.language(order.user_id)
        if address is None:
            return None
        template, item = TO_BUYERS[event.type], _key(event.payload, "itemId")
        lines = [line for line in order.lines if item is None or line.item_id == item]
        if template is Template.ORDER_SHIPPED:
            lines = sent_together(order.lines, item)
            if not lines or lines[0].item_id != item:
                return None  # told by the event of the first of them
        facts = _facts(order, lines, language) | _amount(event.payload, order, language)
        begun = self._clock.now()
        mail = Mail(_name(record, template), template, language, order.user_id, begun, order_id=order_id)
        text = letter(template, language, name, facts)
        link = "" if order.user_id is not None else self._links.link(order_id)
        if link:
            text = Letter(text.subject, text.text + GUESTS_LINK[language].replace("{link}", link))
        return Written(mail, address, text)

    async def _to_seller(self, record: EventRecord) -> Written | None:
        event, template = record.event, TO_SELLERS.get(record.event.type)
        seller_id = SellerId(UUID((event.stream or "").partition("/")[2]))
        seller = await self._sellers.seller(seller_id)
        if seller is None or template is None:
            return None
        language = DEFAULT_LANGUAGE if seller.member_id is None else await self._languages.language(seller.member_id)
        facts: Mapping[str, str] | None
        order_id = None
        if template is Template.SELLER_STOCK_LOW:
            facts = await self._stock(event.payload)
        else:
            order_id = OrderId(_key(event.payload, "orderId") or event.aggregate_id)
            order = await self._orders.order(order_id)
            lines = [line for line in order.lines if line.seller_id == seller_id] if order else []
            facts = _facts(order, lines, language) if order else None
        if facts is None:
            return None
        begun = self._clock.now()
        mail = Mail(_name(record, template), template, language, None, begun, order_id=order_id, seller_id=seller_id)
        return Written(mail, seller.email, letter(template, language, seller.name, facts))

    async def _stock(self, told: Mapping[str, object]) -> Mapping[str, str] | None:
        product_id = _key(told, "productId")
        product = None if product_id is None else await self._products.product(ProductId(product_id))
        return None if product is None else {"product": product[0], "left": str(product[1])}


def _name(record: EventRecord, template: Template) -> str:
    return f"{template}:{record.id}"


def _key(told: Mapping[str, object], name: str) -> UUID | None:
    value = told.get(name)
    return UUID(value) if isinstance(value, str) else None


def _facts(order: OrderFacts, lines: Sequence[Line], language: Language) -> dict[str, str]:
    return {
        "number": order.number,
        "lines": "\n".join(f"・{line.name} × {line.quantity}" for line in lines),
        "amount": shown(order.total, language),
        "tracking": _tracking(lines, language),
    }


def _tracking(lines: Sequence[Line], language: Language) -> str:
    """Each parcel's; with what is in it where there are several."""
    parcels: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line.tracking_number:
            parcels.setdefault((line.carrier or "", line.tracking_number), []).append(line)
    told = []
    for (carrier, number), inside in parcels.items():
        names = f"\n{', '.join(line.name for line in inside)}\n" if len(parcels) > 1 else ""
        told.append(names + TRACKING[language].format(carrier=carrier, number=number))
    return "".join(told)


def _amount(told: Mapping[str, object], order: OrderFacts, language: Language) -> dict[str, str]:
    """Of the event itself, where it says one: a refund is seldom all of it."""
    amount = told.get("amount")
    return {"amount": shown(Money(amount, order.total.currency), language)} if isinstance(amount, int) else {}


def shown(money: Money, language: Language) -> str:
    """An amount as people read it: 1,980円, JPY 1,980, USD 19.80."""
    amount = f"{money.amount:,}"
    return f"{amount}円" if money.currency == "JPY" and language is Language.JA else f"{money.currency} {amount}"
