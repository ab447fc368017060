"""What a seller is told of an order it has to send something of: its number and where it goes, while that is needed."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from adapters.postgres import tables
from domain.shared.ids import uuid7
from resolvers.global_ids import encode
from tests.api.client import Client
from tests.api.conftest import Tokens
from tests.api.statements import counted
from tests.factories import Factory

WHERE = "delivery { recipientName postalCode prefecture city line1 line2 phoneNumber }"
ITEM = f"query ($id: ID!) {{ orderItem(id: $id) {{ fulfillmentStatus orderNumber {WHERE} }} }}"
MINE = f"query ($first: Int) {{ sellerOrderItems(first: $first) {{ nodes {{ orderNumber {WHERE} }} }} }}"
SHIP = "mutation ($input: OrderItemShipInput!) { orderItemShip(input: $input) { userErrors { code } } }"
DELIVER = "mutation ($input: OrderItemDeliverInput!) { orderItemDeliver(input: $input) { userErrors { code } } }"
THERE = {
    "recipientName": "山田花子",
    "postalCode": "100-0001",
    "prefecture": "東京都",
    "city": "千代田区",
    "line1": "千代田1-1",
    "line2": None,
    "phoneNumber": "090-1234-5678",
}
MAIL = "nobodys-business@example.com"


class Street:
    """A buyer, and two shops with a clerk each."""

    def __init__(self, make: Factory, clients: list[Client], buyer: UUID, sellers: list[UUID]) -> None:
        self.make, self.buyer_id, self.sellers = make, buyer, sellers
        self.buyer, self.clerk, self.rival = clients

    async def bought(self, *sellers: UUID, status: str = "processing") -> Any:
        lines = [(await self.make.product(seller_id=seller), seller, 1, 1000) for seller in sellers]
        made = await self.make.bought(self.buyer_id, *lines, status=status)
        await self.make.order_address(made.order, phone_number="090-1234-5678", email=MAIL)
        return made

    async def told(self, who: Client, item: UUID) -> Any:
        answer = await who.post(ITEM, id=encode("OrderItem", item))
        assert MAIL not in answer.text
        return answer.json()["data"]["orderItem"]

    async def arrive(self, item: UUID) -> None:
        sent = {"orderItemId": encode("OrderItem", item), "carrier": "ヤマト運輸", "trackingNumber": "1"}
        await self.clerk.data(SHIP, input={**sent, "expectedVersion": 1})
        answer = await self.clerk.data(DELIVER, input={"orderItemId": sent["orderItemId"], "expectedVersion": 2})
        assert answer["orderItemDeliver"]["userErrors"] == []

    async def number(self, order: UUID) -> str:
        [row] = await self.make.rows(select(tables.orders.c.order_number).where(tables.orders.c.id == order))
        return str(row.order_number)


@pytest.fixture(scope="module")
async def street(http: httpx.AsyncClient, token_of: Tokens, make: Factory) -> Street:
    clients, users = [], []
    for who in ("buyer", "clerk", "rival"):
        email = f"{who}-{uuid7()}@example.com"
        clients.append(Client(http, token=await token_of(email, "buyer")))
        await clients[-1].data("{ viewer { email } }")
        users.append(await make.user_id(email))
    sellers = [await make.seller(), await make.seller()]
    for seller, user, client in zip(sellers, users[1:], clients[1:], strict=True):
        await make.member(seller, user)
        await client.works_for(seller)
    return Street(make, clients, users[0], sellers)


@pytest.mark.parametrize(
    ("status", "is_told"),
    [
        ("pending", False),
        ("processing", True),
        ("shipped", True),
        ("delivered", False),
        ("cancelled", False),
        ("refunded", False),
    ],
)
async def test_a_seller_is_told_while_it_has_to_be_sent_or_is_on_its_way(
    street: Street, status: str, is_told: bool
) -> None:
    bought = await street.bought(street.sellers[0], status=status)
    number, [item] = await street.number(bought.order), bought.items
    told = await street.told(street.clerk, item)
    assert told == {
        "fulfillmentStatus": status.upper(),
        "orderNumber": number,
        "delivery": THERE if is_told else None,
    }
    assert (await street.told(street.buyer, item))["delivery"] == THERE
    assert await street.told(street.rival, item) is None


async def test_who_has_sent_its_part_is_told_no_more_though_the_other_seller_is(street: Street) -> None:
    bought = await street.bought(*street.sellers)
    mine, others = bought.items
    await street.arrive(mine)
    assert (await street.told(street.clerk, mine))["delivery"] is None
    assert (await street.told(street.rival, others))["delivery"] == THERE
    assert await street.told(street.clerk, others) is None


async def test_of_two_items_of_one_seller_the_one_that_arrived_leads_nowhere(street: Street) -> None:
    bought = await street.bought(street.sellers[0], street.sellers[0])
    arrived, waiting = bought.items
    await street.arrive(arrived)
    assert (await street.told(street.clerk, arrived))["delivery"] is None
    assert (await street.told(street.clerk, waiting))["delivery"] == THERE


async def test_a_list_takes_as_many_statements_for_six_as_for_two(street: Street) -> None:
    for _ in range(3):
        await street.bought(street.sellers[0], street.sellers[0])
    counts = {}
    for first in (2, 6):
        await street.clerk.data(MINE, first=first)
        with counted() as statements:
            nodes = (await street.clerk.data(MINE, first=first))["sellerOrderItems"]["nodes"]
        assert [each["delivery"] for each in nodes] == [THERE] * first
        counts[first] = len(statements)
    assert counts[2] == counts[6], counts


async def test_the_buyer_sees_where_the_order_goes(street: Street) -> None:
    bought = await street.bought(street.sellers[0])
    query = f"query ($id: ID!) {{ order(id: $id) {{ {WHERE} }} }}"
    assert await street.buyer.data(query, id=encode("Order", bought.order)) == {"order": {"delivery": THERE}}
    assert await street.clerk.data(query, id=encode("Order", bought.order)) == {"order": None}
