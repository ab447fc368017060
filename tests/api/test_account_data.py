"""All of one's data, and the end of an account: what is erased, what stays, and a crash between every two steps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from adapters.postgres import tables
from adapters.postgres.database import Database
from adapters.postgres.orders import PostgresOrders
from adapters.postgres.sellers import PostgresSellers
from composition.cloud import open_aws, user_pool
from composition.operators import open_deletions
from composition.wiring import open_marketplace
from domain.accounts.addresses import AddressFields
from domain.accounts.deletion import AccountDeletion
from domain.accounts.preferences import Preferences
from domain.shared.clock import SystemClock
from domain.shared.ids import UserId, uuid7
from domain.shared.refusals import Unauthenticated, Unavailable
from domain.shared.viewer import Role, Viewer
from resolvers.global_ids import encode
from settings import Settings
from tests.api.client import Client
from tests.api.conftest import Tokens
from tests.api.test_account import HOME, create, mutation
from tests.api.test_new_passwords import a_second_later
from tests.api.test_sessions import sign_in
from tests.factories import Factory

EXPORT = "mutation { accountExport { data userErrors { code } } }"
DELETE = mutation("accountDelete", "isDeleted isErased")
VIEWER = "{ viewer { email } }"


class Person:
    """Somebody with something in every store."""

    def __init__(self, client: Client, email: str, user_id: UUID, order: UUID, review: UUID, product: UUID) -> None:
        self.client, self.email, self.user_id = client, email, UserId(user_id)
        self.order, self.review, self.product = order, review, product


@pytest.fixture
async def person(http: httpx.AsyncClient, token_of: Tokens, make: Factory) -> AsyncIterator[Person]:
    email = f"leaver-{uuid7()}@example.com"
    client = Client(http, token=await token_of(email, "buyer"))
    await client.data(VIEWER)
    user, seller = await make.user_id(email), await make.seller()
    await make.member(seller, user)
    product = await make.product(seller_id=seller)
    await client.data(
        mutation("profileUpdate", "viewer { email }"),
        input={"expectedVersion": 0, "displayName": "去る人", "phoneNumber": "090-1234-5678"},
    )
    await create(client, recipientName="去る人")
    await client.data(
        mutation("favoriteAdd", "favorite { createdAt }"), input={"productId": encode("Product", product)}
    )
    await client.data(
        mutation("preferencesUpdate", "preferences { version }"), input={"expectedVersion": 0, "currency": "USD"}
    )
    add = "mutation ($id: ID!) { cartItemAdd(input: {productId: $id}) { userErrors { code } } }"
    await client.data(add, id=encode("Product", product))
    order = await make.order(user, (product, seller, 1100), metadata={"shipping_address": HOME, "source": "shop"})
    await make.order_address(order, recipient_name="去る人", email=email)
    review = await make.review(product, user_id=user, title="良い")
    yield Person(client, email, user, order, review, product)
    # what was deleted within a day is erased once more with each of the accounts to come
    [left] = await rows(make, tables.users, "id", user)
    if left.deleted_at:
        two_days = timedelta(days=2)
        requested, deleted = left.deletion_requested_at - two_days, left.deleted_at - two_days
        await make.change(tables.users, user, deletion_requested_at=requested, deleted_at=deleted)


@pytest.fixture
async def deletions(prepared: Settings) -> AsyncIterator[AccountDeletion]:
    async with open_deletions(prepared) as deletions:
        yield deletions


async def rows(make: Factory, table: Any, column: str, key: UUID) -> Any:
    return await make.rows(select(table).where(table.c[column] == key))


async def in_pool(settings: Settings, email: str) -> bool:
    async with open_aws(settings, 10_000) as aws:
        pool = await user_pool(settings, aws)
        found = await aws.cognito.list_users(UserPoolId=pool.pool_id, Filter=f'email = "{email}"')
    return bool(found["Users"])


async def assert_erased(person: Person, make: Factory, settings: Settings) -> None:
    [user] = await rows(make, tables.users, "id", person.user_id)
    assert user.email == f"deleted-{person.user_id}@deleted.invalid"
    assert (user.cognito_sub, user.leaving_sub, user.phone_number, user.email_verified_at) == (None, None, None, None)
    assert user.deleted_at
    for table in (tables.user_profiles, tables.addresses, tables.favorites, tables.members):
        assert await rows(make, table, "user_id", person.user_id) == []
    [order] = await rows(make, tables.orders, "id", person.order)
    assert (order.metadata, order.shipping_address_id, order.total_amount) == ({"source": "shop"}, None, 1100)
    assert len(await rows(make, tables.order_items, "order_id", person.order)) == 1
    assert await rows(make, tables.order_addresses, "order_id", person.order) == []
    assert len(await rows(make, tables.reviews, "id", person.review)) == 1
    assert not await in_pool(settings, person.email)
    async with open_marketplace(settings, SystemClock()) as marketplace:
        viewer, services = Viewer(Role.USER, person.user_id), marketplace.services
        assert not (await services.carts.cart(viewer)).lines
        assert await services.preferences.of_users(viewer, [person.user_id]) == [Preferences()]
        assert not await services.viewed.recent(viewer, 50)
        assert not await services.sessions.of_viewer(viewer)  # nor is kept where they were used from


class TestExport:
    async def test_it_lists_the_sessions_that_have_not_ended(
        self, http: httpx.AsyncClient, prepared: Settings, make: Factory
    ) -> None:
        email = f"exports-{uuid7()}@example.com"
        before = Client(http, token=(await sign_in(prepared, email))["AccessToken"])
        await before.data(VIEWER)
        # signed out everywhere, and the store of sessions was away: it has still to hear of it
        await make.change(tables.users, await make.user_id(email), signed_out_at=SystemClock().now())
        await a_second_later()
        after = Client(http, token=(await sign_in(prepared, email))["AccessToken"])
        async with asyncio.timeout(60):  # how the user stands is remembered for a moment
            while len(sessions := (await after.data(EXPORT))["accountExport"]["data"]["sessions"]) > 1:
                await asyncio.sleep(0)
        assert [session["isCurrent"] for session in sessions] == [True]

    async def test_it_holds_all_that_is_kept(self, person: Person) -> None:
        data = (await person.client.data(EXPORT))["accountExport"]["data"]
        assert data["profile"]["email"] == person.email
        assert data["profile"]["details"]["phoneNumber"] == "+819012345678"
        assert data["addresses"][0]["fields"]["recipientName"] == "去る人"
        assert data["preferences"]["currency"] == "USD"
        assert [each["productId"] for each in data["favorites"]] == [str(person.product)]
        [order] = data["orders"]
        assert order["total"] == {"amount": "1100", "currencyCode": "JPY"}
        assert (order["items"][0]["quantity"], order["payment"]["status"]) == (1, "succeeded")
        assert (order["delivery"]["recipientName"], order["delivery"]["city"]) == ("去る人", "千代田区")
        assert [each["title"] for each in data["reviews"]] == ["良い"]
        assert [each["productId"] for each in data["cart"]] == [str(person.product)]
        assert len(data["sessions"]) == 1
        assert (data["truncated"], data["formatVersion"]) == ([], 1)

    async def test_it_is_the_viewers_own(self, api: Client) -> None:
        assert await api.codes(EXPORT) == ["UNAUTHENTICATED"]


class TestDeletion:
    @pytest.mark.parametrize("typed", ["", "delete", "yes", "somebody@example.com"])
    async def test_nothing_happens_unless_it_is_meant(self, person: Person, typed: str) -> None:
        refused = (await person.client.data(DELETE, input={"confirm": typed}))["accountDelete"]
        assert (refused["isDeleted"], refused["isErased"]) == (False, False)
        assert [error["code"] for error in refused["userErrors"]] == ["CONFIRMATION_REQUIRED"]
        assert (await person.client.data(VIEWER))["viewer"]["email"] == person.email

    async def test_the_person_goes_from_every_store_and_the_orders_and_reviews_stay(
        self, person: Person, make: Factory, prepared: Settings, api: Client
    ) -> None:
        done = (await person.client.data(DELETE, input={"confirm": person.email.upper()}))["accountDelete"]
        assert done == {"isDeleted": True, "isErased": True, "userErrors": []}
        await assert_erased(person, make, prepared)
        query = "query ($id: ID!) { product(id: $id) { reviews { nodes { title author { displayName } } } } }"
        shown = await api.data(query, id=encode("Product", person.product))
        assert shown["product"]["reviews"]["nodes"] == [{"title": "良い", "author": None}]

    async def test_the_token_stops(self, person: Person) -> None:
        await person.client.data(DELETE, input={"confirm": "DELETE"})
        response = await person.client.post(VIEWER)
        assert response.status_code == 401
        assert response.json()["errors"][0]["extensions"]["code"] in ("UNAUTHENTICATED", "SESSION_ENDED")

    async def test_who_registers_again_is_somebody_new(
        self, person: Person, http: httpx.AsyncClient, token_of: Tokens, make: Factory
    ) -> None:
        await person.client.data(DELETE, input={"confirm": "DELETE"})
        again = Client(http, token=await token_of(person.email, "buyer"))
        assert (await again.data("{ viewer { email displayName addresses { id } } }"))["viewer"] == {
            "email": person.email,
            "displayName": None,
            "addresses": [],
        }
        assert await make.user_id(person.email) != person.user_id

    async def test_an_account_that_is_not_leaving_is_touched_by_no_eraser(
        self, person: Person, make: Factory, prepared: Settings
    ) -> None:
        database = Database(prepared.database_url.get_secret_value())
        await PostgresOrders(database).forget_buyer(person.user_id)
        await PostgresSellers(database).forget_member(person.user_id)
        await database.close()
        [order] = await rows(make, tables.orders, "id", person.order)
        assert "shipping_address" in order.metadata
        assert len(await rows(make, tables.members, "user_id", person.user_id)) == 1


class Killed(BaseException):
    """The process ended here."""


STEPS = ["begun", "cart", "preferences", "recently viewed", "sessions", "orders", "sellers", "pool", "finish"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("died", [Killed, lambda: Unavailable("it")], ids=["killed", "outage"])
async def test_what_was_interrupted_before_a_step_is_finished_later(
    person: Person, make: Factory, prepared: Settings, deletions: AccountDeletion, step: str, died: Any
) -> None:
    async def die(*_: Any) -> None:
        raise died()

    async with open_marketplace(prepared, SystemClock()) as marketplace:
        services, deletion = marketplace.services, marketplace.services.deletion
        whole, deletion._erasers = deletion._erasers, dict(deletion._erasers)
        if step == "begun":
            deletion._erasers = dict.fromkeys(whole, die)
            deletion._pool.delete = die  # type: ignore[method-assign]
        elif step == "pool":
            deletion._pool.delete = die  # type: ignore[method-assign]
        elif step == "finish":
            deletion._deletions.finish = die  # type: ignore[method-assign]
        else:
            deletion._erasers[step] = die
        with suppress(Killed):
            erased = await deletion.delete(
                Viewer(Role.USER, person.user_id), services.profiles, services.accounts.end_all_sessions, "DELETE"
            )
            assert not erased
    # whatever was not done, the person can neither come back nor be written to
    async with asyncio.timeout(60):  # within a second of its deletion elsewhere
        while (await person.client.post(VIEWER)).status_code != 401:
            pass
    [user] = await rows(make, tables.users, "id", person.user_id)
    assert user.deletion_requested_at
    assert not user.deleted_at
    assert await deletions.resume() >= 1
    await assert_erased(person, make, prepared)
    assert await deletions.resume() >= 1  # again, for a request that was under way


async def test_nothing_is_added_to_an_account_that_is_leaving(
    person: Person, prepared: Settings, make: Factory
) -> None:
    """A request that was let in just before."""
    async with open_marketplace(prepared, SystemClock()) as marketplace:
        services, viewer = marketplace.services, Viewer(Role.USER, person.user_id)
        await services.deletion.delete(viewer, services.profiles, services.accounts.end_all_sessions, "DELETE")
        home = AddressFields("去る人", "100-0001", "東京都", "千代田区", "1-1", None, None)
        with pytest.raises(Unauthenticated):
            await services.addresses.create(viewer, "key", home, is_default=False)
        with pytest.raises(Unauthenticated):
            await services.favorites.add(viewer, person.product)  # type: ignore[arg-type]
    assert await rows(make, tables.addresses, "user_id", person.user_id) == []
