"""Every field of the schema, asked for by six people, against the access matrix; and what must look as if it did not exist."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from graphql import (
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    experimental_execute_incrementally,
    get_named_type,
    parse,
)
from starlette.applications import Starlette
from websockets.asyncio.client import connect

from composition.wiring import open_marketplace
from domain.orders.live import OrderEventType, SellerEvent
from domain.orders.model import OrderItem, OrderStatus
from domain.shared.clock import SystemClock
from domain.shared.ids import OrderId, uuid7
from domain.shared.paging import PageRequest
from domain.shared.refusals import Refusal
from domain.shared.viewer import Role, Viewer
from resolvers.context import Context
from resolvers.global_ids import decode, encode
from resolvers.nodes import NODE_LOADERS
from resolvers.services import Services
from schema.build import build_schema
from schema.declared import ownership_of
from schema.matrix import Persona, Row, access_matrix, admitted
from settings import Settings
from tests.api.access_scene import Scene, open_scene
from tests.api.access_ways import NOT_OFFERED, OF_STREAMS, Question, Way, document, find_ways, questions, selection
from tests.api.client import Answer
from tests.api.conftest import Tokens
from tests.api.sockets import PROTOCOL, begin, exchange
from tests.factories import Factory

SCHEMA: GraphQLSchema = build_schema()._schema
WATCHED = "Subscription"
"""Its fields, and those of the types that only it leads to, are asked for over a socket, by a test of their own."""
OF_VALUES = [row for row in access_matrix(SCHEMA) if row.type_name != WATCHED]
MATRIX = [row for row in OF_VALUES if row.type_name not in OF_STREAMS]
THEIRS = {
    "orderStatusChanged": {Persona.OWNER, Persona.ADMIN},
    "sellerOrderItems": {Persona.SELLER, Persona.ADMIN},
}
"""Whose the streams of the scene are: for others they do not exist."""
WAYS = find_ways(SCHEMA)
TYPES = sorted({row.type_name for row in MATRIX})
REFUSALS = {"UNAUTHENTICATED", "FORBIDDEN"}

Cell = tuple[str, str, Persona]


@pytest.fixture(scope="module")
async def scene(app: Starlette, prepared: Settings, make: Factory, token_of: Tokens) -> AsyncIterator[Scene]:
    async with open_scene(app, prepared, make, token_of) as scene:
        yield scene


@pytest.fixture(scope="module")
async def services(prepared: Settings) -> AsyncIterator[Services]:
    async with open_marketplace(prepared, SystemClock()) as marketplace:
        yield marketplace.services


def object_type(name: str) -> GraphQLObjectType:
    type_ = SCHEMA.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    return type_


def test_there_is_a_way_to_every_type() -> None:
    lost = set(TYPES) - set(WAYS)
    assert not lost, f"say in WAYS of tests/api/access_ways.py how a client gets to {', '.join(sorted(lost))}"


async def test_each_field_is_shown_to_whom_the_matrix_says_and_to_nobody_else(scene: Scene) -> None:
    expected = {
        (row.type_name, row.field_name, persona): persona in row.seen_by and leads(row.type_name, persona)
        for row in MATRIX
        for persona in Persona
    }
    found: dict[Cell, bool] = {}
    for asked in questions(SCHEMA, WAYS):
        for persona in Persona:
            found |= await ask(scene, persona, asked)
    assert found.keys() == expected.keys()
    assert len(found) == len(MATRIX) * len(Persona)
    wrong = {cell: found[cell] for cell, shown in expected.items() if found[cell] != shown}
    assert wrong == {}, (
        "if the scene has no value of a type, put one there or give a way to one in tests/api/access_ways.py;"
        " if a root field leads each to what is their own, put it into OWN"
    )


async def test_each_subscription_begins_for_whom_the_matrix_says_and_for_nobody_else(
    scene: Scene, address: str
) -> None:
    matrix = access_matrix(SCHEMA)
    rows = [row for row in matrix if row.type_name == WATCHED]
    for row in rows:
        field = object_type(WATCHED).fields[row.field_name]
        asked = selection(object_type(WATCHED), row.field_name, field)
        of_event = {each.field_name: each for each in matrix if each.type_name == get_named_type(field.type).name}
        if get_named_type(field.type).name in OF_STREAMS:
            event = object_type(get_named_type(field.type).name)
            below = " ".join(selection(event, name, each) for name, each in event.fields.items())
            asked = asked.replace("{ __typename }", f"{{ {below} }}")
        names = [name for name in scene.ids if f"${name}" in asked]
        text = f"subscription ({', '.join(f'${name}: ID!' for name in names)}) {{ {asked} }}"
        payload = {"query": text, "variables": {name: scene.ids[name] for name in names}}
        for persona in Persona:
            async with connect(address, subprotocols=[PROTOCOL]) as socket:
                await begin(socket, **scene.clients[persona].headers)
                answer = await exchange(socket, {"type": "subscribe", "id": "1", "payload": payload})
            errors = answer["payload"].get("errors", []) if answer["type"] == "next" else answer["payload"]
            refused = [error for error in errors if len(error["path"]) == 1]
            assert {error["extensions"]["code"] for error in errors} <= {*REFUSALS, "NOT_FOUND"}
            begins = persona in row.seen_by and persona in THEIRS.get(row.field_name, set(Persona))
            assert (not refused) == begins, (row.field_name, persona)
            hidden = {error["path"][1] for error in errors if len(error["path"]) > 1}
            assert hidden == {
                name for name, each in of_event.items() if begins and persona not in each.seen_by and name in asked
            }
    assert rows


def leads(type_name: str, persona: Persona) -> bool:
    """Whether there is an owner's value to be led to, and by a way that is not the owner's alone."""
    return type_name not in NOT_OFFERED and WAYS[type_name].whose in (None, persona)


async def ask(scene: Scene, persona: Persona, asked: Sequence[Question]) -> dict[Cell, bool]:
    """Whether each field is shown to the persona. Asserts that nothing of the owner's is shown besides."""
    answer = await send(scene, persona, document(asked))
    found = {}
    for number, question in enumerate(asked):
        # on a way that leads each to what is their own, whatever is shown is not the owner's: `send` has looked
        theirs = question.way.whose not in (None, persona)
        shown = is_shown(answer, f"a{number}", question.way, persona) and not theirs
        found |= {(question.type_name, name, persona): shown for name in question.names}
    return found


MAY_SEE = {Persona.ADMIN: {"order", "order number", "destination"}, Persona.SELLER: {"order number", "destination"}}
"""Of the marks of the owner's data."""


async def send(scene: Scene, persona: Persona, document: str) -> Answer:
    variables = {name: value for name, value in scene.ids.items() if f"${name}" in document}
    response = await scene.clients[persona].post(document, **variables)
    if "sessionEnd" in document:
        await scene.sign_in(persona)
    may_see = MAY_SEE.get(persona, set())
    if persona is not Persona.OWNER:
        assert [name for name, mark in scene.marks.items() if mark in response.text and name not in may_see] == []
    answer: Answer = response.json()
    return answer


def is_shown(answer: Answer, alias: str, way: Way, persona: Persona) -> bool:
    """Whether there is a value and its field was not refused. Nothing but a refusal may have gone wrong."""
    errors = [
        error for error in answer.get("errors", []) if error["extensions"]["code"] != "NOT_SUPPORTED"
    ]  # let through
    codes = {error["extensions"]["code"] for error in errors}
    assert codes <= {"UNAUTHENTICATED" if persona is Persona.ANONYMOUS else "FORBIDDEN"}, errors
    if any(error["path"][0] == alias for error in errors) or answer["data"] is None:
        return False
    return not way.names or any(values_at(answer["data"][alias], way.names[1:]))


def values_at(value: Any, names: Sequence[str]) -> Iterator[bool]:
    """Whether there is something, for each place that the names lead to."""
    if isinstance(value, list):
        for each in value:
            yield from values_at(each, names)
    elif value is None or not names:
        yield value not in (None, {})  # nothing of it is shown where it is of another type of a union
    else:
        yield from values_at(value[names[0]], names[1:])


HANDED: Mapping[str, Callable[[Services, Viewer, OrderId], Awaitable[Any]]] = {
    "Address": lambda services, owner, _: first(first(services.addresses.of_users(owner, [owner.user_id]))),
    "Cart": lambda services, owner, _: services.carts.cart(owner),
    "Delivery": lambda services, owner, order: of_an_item_to_send(services, owner, order),
    "Favorite": lambda services, owner, _: first_node(services.favorites.page(owner, PageRequest())),
    "Order": lambda services, owner, order: first(services.orders.by_ids(owner, [order])),
    "OrderEvent": lambda services, owner, order: first(first(services.records.timeline_of(owner, [order]))),
    "OrderItem": lambda services, owner, order: first(first(services.orders.items_of(owner, [order]))),
    "OrderItemStatusChange": lambda services, owner, order: of_item(
        services.records.item_history_of, services, owner, order
    ),
    "OrderStatusChange": lambda services, owner, order: first(first(services.orders.history_of(owner, [order]))),
    "Payment": lambda services, owner, order: first(services.orders.payments_of(owner, [order])),
    "Receipt": lambda services, owner, order: first(first(services.records.receipts_of(owner, [order]))),
    "Refund": lambda services, owner, order: first(first(services.records.refunds_of(owner, [order]))),
    "Return": lambda services, owner, order: of_item(services.records.returns_of, services, owner, order),
    "SellerBalance": lambda services, owner, order: of_its_seller(services, owner, order),
    "SellerEvent": lambda services, owner, order: event_of_seller(services, owner, order),
    "Session": lambda services, owner, _: first(services.sessions.of_viewer(owner)),
    "Viewer": lambda services, owner, _: services.profiles.of_viewer(owner),
}
"""How to get the owner's value of each type that says whose its values are."""


async def first(values: Awaitable[Sequence[Any]]) -> Any:
    return (await values)[0]


async def of_item(read: Any, services: Services, owner: Viewer, order: OrderId) -> Any:
    item = await first(first(services.orders.items_of(owner, [order])))
    return await first(first(read(owner, [item.id])))


async def of_an_item_to_send(services: Services, owner: Viewer, order: OrderId) -> Any:
    item = await first(first(services.orders.items_of(owner, [order])))
    due = replace(item, fulfillment_status=OrderStatus.PROCESSING)
    return await first(services.orders.deliveries_of_items(owner, [due]))


async def of_its_seller(services: Services, owner: Viewer, order: OrderId) -> Any:
    """The balance of the seller, as an admin sees it: the owner of the order is shown none."""
    item = await first(first(services.orders.items_of(owner, [order])))
    return await first(first(services.records.balances_of(Viewer(Role.ADMIN), [item.seller_id])))


async def event_of_seller(services: Services, owner: Viewer, order: OrderId) -> SellerEvent:
    item = await first(first(services.orders.items_of(owner, [order])))
    return SellerEvent("cursor", OrderEventType.CURRENT, item.seller_id)


async def first_node(page: Awaitable[Any]) -> Any:
    return (await page).nodes[0]


def owned_types() -> list[str]:
    rows = {row.type_name for row in OF_VALUES}
    of = {name: ownership_of(SCHEMA.type_map[name]) for name in rows}
    return sorted(
        name for name, ownership in of.items() if not ownership.is_askers and (ownership.owner or ownership.seller)
    )


def test_every_type_that_says_whose_its_values_are_is_handed_around() -> None:
    assert owned_types() == sorted(HANDED), "say in HANDED how to get the owner's value of the type"


@pytest.mark.parametrize("type_name", HANDED)
async def test_fields_refuse_by_themselves_whoever_was_given_the_value(
    scene: Scene, services: Services, type_name: str
) -> None:
    """As if the domain and the database had both forgotten to hide it."""
    value = await HANDED[type_name](services, scene.viewers[Persona.OWNER], OrderId(scene.order_id))
    assert value is not None
    for row in (row for row in OF_VALUES if row.type_name == type_name):
        shown = {
            persona
            for persona, viewer in scene.viewers.items()
            if await is_shown_when_handed(Context(services, viewer), type_name, row, value)
        }
        assert shown == admitted(row.access), f"{type_name}.{row.field_name}"


async def is_shown_when_handed(context: Context, type_name: str, row: Row, value: Any) -> bool:
    type_ = object_type(type_name)
    schema = GraphQLSchema(GraphQLObjectType("Query", {"value": GraphQLField(type_, resolve=lambda *_: value)}))
    asked = selection(type_, row.field_name, type_.fields[row.field_name])
    result: Any = experimental_execute_incrementally(schema, parse(f"{{ value {{ {asked} }} }}"), context_value=context)
    result = await result if hasattr(result, "__await__") else result
    for error in result.errors or ():
        assert isinstance(error.original_error, Refusal), error
        assert error.original_error.code in REFUSALS
    return not result.errors


async def test_a_guests_cart_is_for_that_guest_alone(scene: Scene, services: Services, make: Factory) -> None:
    guest, product = Viewer(guest_id=uuid7()), await make.product()
    value = (await services.carts.add(guest, product, None, 1)).cart  # type: ignore[arg-type]
    [row] = [row for row in MATRIX if (row.type_name, row.field_name) == ("Cart", "lines")]
    others = [Viewer(guest_id=uuid7()), *scene.viewers.values()]
    others = [viewer for viewer in others if viewer is not scene.viewers[Persona.ADMIN]]
    assert await is_shown_when_handed(Context(services, guest), "Cart", row, value)
    assert not any([await is_shown_when_handed(Context(services, each), "Cart", row, value) for each in others])


async def test_a_seller_sees_the_item_and_not_whose_it_is(scene: Scene, services: Services) -> None:
    """Row-level security hides the order, and with it the buyer."""
    [items] = await services.orders.items_of(scene.viewers[Persona.SELLER], [OrderId(scene.order_id)])
    assert [(item.order_id, item.user_id) for item in items if isinstance(item, OrderItem)] == [(scene.order_id, None)]


STRANGERS = [Persona.ANONYMOUS, Persona.OTHER_BUYER, Persona.OTHER_SELLER, Persona.SELLER]
BY_ID = "query ($id: ID!) { order(id: $id) { id total { amount } } node(id: $id) { id __typename } nodes(ids: [$id]) { id } }"


@pytest.mark.parametrize("persona", STRANGERS)
async def test_anothers_order_a_guessed_id_and_another_types_id_get_one_answer(scene: Scene, persona: Persona) -> None:
    client = scene.clients[persona]
    guessed = (await client.post(BY_ID, id=encode("Order", uuid7()))).text
    assert guessed.startswith('{"data":{"order":null,"node":null,"nodes":[null]},')  # its cost tells nothing either
    others = [
        scene.ids["order"],
        encode("Order", uuid4()),
        encode("Product", scene.order_id),  # the key exists, as that of an order
        encode("OrderItem", scene.order_id),
        encode("Cart", scene.order_id),
        encode("Viewer", scene.viewers[Persona.OWNER].user_id or uuid7()),
        "T3JkZXI",
        "",
        "x" * 100,
    ]
    assert {(await client.post(BY_ID, id=each)).text for each in others} == {guessed}


@pytest.mark.parametrize("type_name", NODE_LOADERS)
async def test_a_node_is_found_by_an_id_of_its_own_type_alone(scene: Scene, type_name: str) -> None:
    """The keys of every other type, under this type's name: also for the owner and an admin."""
    keys = [decoded[1] for name, id in scene.ids.items() if (decoded := decode(id)) and decoded[0] != type_name]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    for persona in (Persona.OWNER, Persona.ADMIN):
        data = await scene.clients[persona].data(query, ids=[encode(type_name, key) for key in keys])
        assert data == {"nodes": [None] * len(keys)}


@pytest.mark.parametrize("persona", [*STRANGERS, Persona.ADMIN])
async def test_a_line_of_anothers_cart_is_as_one_that_does_not_exist(scene: Scene, persona: Persona) -> None:
    change = """mutation ($line: ID!) {
      cartItemUpdate(input: {lineId: $line, quantity: 5}) { cart { version } userErrors { code field message } }
      cartItemRemove(input: {lineId: $line}) { cart { version } userErrors { code field message } }
    }"""
    client, line = scene.clients[persona], scene.marks["cart line"].strip('"')
    assert (await client.post(change, line=line)).text == (await client.post(change, line=str(uuid7()))).text
    cart = await scene.clients[Persona.OWNER].data("{ cart { lines { id quantity } } }")
    assert [each["quantity"] for each in cart["cart"]["lines"] if each["id"] == line] == [1]
