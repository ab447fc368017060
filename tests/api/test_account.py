"""The viewer's profile and addresses, as a storefront uses them."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from resolvers.global_ids import encode
from tests.api.client import Client
from tests.api.statements import counted
from tests.factories import Factory

ADDRESS = "id recipientName postalCode prefecture city line1 line2 phoneNumber isDefault version"
ERRORS = "userErrors { code field message retryable }"
VIEWER = f"{{ viewer {{ email profile {{ displayName avatarUrl birthDate gender phoneNumber version }} addresses {{ {ADDRESS} }} }} }}"
HOME = {
    "recipientName": "山田 花子",
    "postalCode": "１００ー０００１",
    "prefecture": "Tokyo",
    "city": "千代田区",
    "line1": "千代田1-1",
    "phoneNumber": "03-1234-5678",
}


def mutation(name: str, shown: str) -> str:
    kind = name[0].upper() + name[1:]
    return f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ {shown} {ERRORS} }} }}"


CREATE, UPDATE, DELETE, SET_DEFAULT = (
    mutation(name, f"address {{ {ADDRESS} }} addresses {{ id isDefault }}")
    for name in ("addressCreate", "addressUpdate", "addressDelete", "addressSetDefault")
)
PROFILE = mutation(
    "profileUpdate", "viewer { displayName profile { displayName birthDate gender phoneNumber version } }"
)


async def signed_in(http: httpx.AsyncClient, token_of: Any, group: str = "buyer") -> Client:
    client = Client(http, token=await token_of(f"account-{uuid4()}@example.com", group))
    await client.data("{ viewer { email } }")
    return client


@pytest.fixture
async def buyer(http: httpx.AsyncClient, token_of: Any) -> Client:
    return await signed_in(http, token_of)


@pytest.fixture
async def other(http: httpx.AsyncClient, token_of: Any) -> Client:
    return await signed_in(http, token_of)


async def create(client: Client, **fields: Any) -> Any:
    given = HOME | {"idempotencyKey": str(uuid4())} | fields
    return (await client.data(CREATE, input=given))["addressCreate"]


async def addresses_of(client: Client) -> list[Any]:
    found: list[Any] = (await client.data(VIEWER))["viewer"]["addresses"]
    return found


class TestAddresses:
    async def test_the_first_is_kept_in_one_form_and_becomes_the_default(self, buyer: Client) -> None:
        made = (await create(buyer))["address"]
        assert {name: made[name] for name in made if name != "id"} == {
            "recipientName": "山田 花子",
            "postalCode": "100-0001",
            "prefecture": "東京都",
            "city": "千代田区",
            "line1": "千代田1-1",
            "line2": None,
            "phoneNumber": "+81312345678",
            "isDefault": True,
            "version": 1,
        }
        assert await addresses_of(buyer) == [made]

    async def test_the_same_key_keeps_no_second_one_and_shows_it_as_it_is_now(self, buyer: Client) -> None:
        first = (await create(buyer, idempotencyKey="once"))["address"]
        changed = {"id": first["id"], "expectedVersion": 1, "city": "中央区"}
        await buyer.data(UPDATE, input=changed)
        again = (await create(buyer, idempotencyKey="once"))["address"]
        assert (again["id"], again["city"], again["version"]) == (first["id"], "中央区", 2)
        assert len(await addresses_of(buyer)) == 1
        [error] = (await create(buyer, idempotencyKey="once", city="港区"))["userErrors"]
        assert (error["code"], error["field"]) == ("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])
        await buyer.data(DELETE, input={"id": first["id"]})
        assert (await create(buyer, idempotencyKey="once"))["userErrors"][0]["code"] == "NOT_FOUND"

    async def test_all_that_is_wrong_is_told_in_both_languages(self, buyer: Client) -> None:
        wrong = {"postalCode": "12345", "prefecture": "Texas", "phoneNumber": "110", "city": "  "}
        refused = await create(buyer, **wrong)
        assert refused["address"] is refused["addresses"] is None
        assert [(error["code"], error["field"]) for error in refused["userErrors"]] == [
            ("INVALID_POSTAL_CODE", ["postalCode"]),
            ("INVALID_PREFECTURE", ["prefecture"]),
            ("BAD_USER_INPUT", ["city"]),
            ("INVALID_PHONE_NUMBER", ["phoneNumber"]),
        ]
        assert "within Japan only" in refused["userErrors"][1]["message"]
        buyer.headers["accept-language"] = "ja"
        assert "日本国内" in (await create(buyer, **wrong))["userErrors"][1]["message"]

    async def test_a_change_needs_the_version_that_it_was_made_on(self, buyer: Client) -> None:
        made = (await create(buyer))["address"]
        change = {"id": made["id"], "expectedVersion": 1, "line2": "101号室", "phoneNumber": None}
        changed = (await buyer.data(UPDATE, input=change))["addressUpdate"]["address"]
        assert (changed["line2"], changed["phoneNumber"], changed["city"], changed["version"]) == (
            "101号室",
            None,
            "千代田区",
            2,
        )
        stale = (await buyer.data(UPDATE, input=change))["addressUpdate"]
        assert stale["address"] is None
        assert stale["userErrors"][0]["code"] == "VERSION_CONFLICT"
        emptied = {"id": made["id"], "expectedVersion": 2, "city": None}
        assert (await buyer.data(UPDATE, input=emptied))["addressUpdate"]["userErrors"][0]["field"] == ["city"]

    async def test_one_of_them_is_the_default(self, buyer: Client) -> None:
        first, second, third = [(await create(buyer))["address"]["id"] for _ in range(3)]
        chosen = (await buyer.data(SET_DEFAULT, input={"id": second}))["addressSetDefault"]
        assert chosen["address"]["isDefault"]
        assert chosen["addresses"] == [
            {"id": second, "isDefault": True},
            {"id": third, "isDefault": False},
            {"id": first, "isDefault": False},
        ]
        gone = (await buyer.data(DELETE, input={"id": second}))["addressDelete"]
        assert gone["address"]["id"] == second
        assert gone["addresses"] == [{"id": third, "isDefault": True}, {"id": first, "isDefault": False}]
        assert (await create(buyer, isDefault=True))["address"]["isDefault"]

    async def test_twenty_are_kept(self, buyer: Client) -> None:
        for _ in range(20):
            assert not (await create(buyer))["userErrors"]
        assert (await create(buyer))["userErrors"][0]["code"] == "ADDRESS_LIMIT"
        assert len(await addresses_of(buyer)) == 20

    async def test_anothers_is_as_if_it_were_not_there(self, buyer: Client, other: Client, api: Client) -> None:
        made = (await create(buyer))["address"]
        for query, name, more in (
            (UPDATE, "addressUpdate", {"expectedVersion": 1, "city": "港区"}),
            (DELETE, "addressDelete", {}),
            (SET_DEFAULT, "addressSetDefault", {}),
        ):
            for key in (made["id"], encode("Product", uuid4()), "nonsense"):
                refused = (await other.data(query, input={"id": key} | more))[name]
                assert [error["code"] for error in refused["userErrors"]] == ["NOT_FOUND"]
        node = "query ($id: ID!) { node(id: $id) { id } }"
        assert await other.data(node, id=made["id"]) == {"node": None}
        assert await api.data(node, id=made["id"]) == {"node": None}
        assert await buyer.data(node, id=made["id"]) == {"node": {"id": made["id"]}}
        assert await addresses_of(buyer) == [made]

    async def test_an_admin_changes_nobodys(self, buyer: Client, http: httpx.AsyncClient, token_of: Any) -> None:
        made = (await create(buyer))["address"]
        admin = await signed_in(http, token_of, "admin")
        change = {"id": made["id"], "expectedVersion": 1, "city": "港区"}
        assert (await admin.data(UPDATE, input=change))["addressUpdate"]["userErrors"][0]["code"] == "NOT_FOUND"
        assert (await admin.data(DELETE, input={"id": made["id"]}))["addressDelete"]["address"] is None
        assert await addresses_of(buyer) == [made]

    async def test_signed_out_there_is_nothing_to_keep_it_for(self, api: Client) -> None:
        assert await api.codes(CREATE, input=HOME | {"idempotencyKey": "k"}) == ["UNAUTHENTICATED"]

    async def test_their_number_costs_no_statements(self, buyer: Client) -> None:
        counts = []
        for _ in range(2):
            await create(buyer)
            await buyer.data(VIEWER)
            with counted() as statements:
                await buyer.data(VIEWER)
            counts.append(len(statements))
        assert counts[0] == counts[1]


class TestProfile:
    async def test_what_is_given_is_changed_and_the_rest_stays(self, buyer: Client) -> None:
        change = {"expectedVersion": 0, "displayName": " 花子 ", "birthDate": "1990-05-01", "gender": "FEMALE"}
        changed = (await buyer.data(PROFILE, input=change))["profileUpdate"]
        assert changed["userErrors"] == []
        assert changed["viewer"]["displayName"] == "花子"
        again = {"expectedVersion": 1, "phoneNumber": "090-1234-5678", "birthDate": None}
        profile = (await buyer.data(PROFILE, input=again))["profileUpdate"]["viewer"]["profile"]
        assert profile == {
            "displayName": "花子",
            "birthDate": None,
            "gender": "FEMALE",
            "phoneNumber": "+819012345678",
            "version": 2,
        }

    async def test_two_tabs_do_not_undo_each_others(self, buyer: Client) -> None:
        for name, codes in (("一", []), ("二", ["VERSION_CONFLICT"])):
            answer = (await buyer.data(PROFILE, input={"expectedVersion": 0, "displayName": name}))["profileUpdate"]
            assert [error["code"] for error in answer["userErrors"]] == codes
        assert (await buyer.data(VIEWER))["viewer"]["profile"]["displayName"] == "一"

    async def test_nonsense_is_refused(self, buyer: Client) -> None:
        wrong = {"expectedVersion": 0, "displayName": "x" * 61, "avatarUrl": "javascript:1", "phoneNumber": "110"}
        answer = (await buyer.data(PROFILE, input=wrong))["profileUpdate"]
        assert answer["viewer"] is None
        assert [error["field"] for error in answer["userErrors"]] == [["displayName"], ["avatarUrl"], ["phoneNumber"]]

    async def test_a_name_that_was_taken_back_no_longer_stands_beside_reviews(
        self, buyer: Client, make: Factory
    ) -> None:
        email = (await buyer.data(VIEWER))["viewer"]["email"]
        product = await make.product()
        await make.review(product, user_id=await make.user_id(email))
        query = "query ($id: ID!) { product(id: $id) { reviews { nodes { author { displayName } } } } }"
        for version, name, author in ((0, "花子", {"displayName": "花子"}), (1, None, None)):
            await buyer.data(PROFILE, input={"expectedVersion": version, "displayName": name})
            shown = await buyer.data(query, id=encode("Product", product))
            assert shown["product"]["reviews"]["nodes"] == [{"author": author}]

    async def test_signed_out_there_is_none(self, api: Client) -> None:
        assert await api.data(VIEWER) == {"viewer": None}
        assert await api.codes(PROFILE, input={"expectedVersion": 0}) == ["UNAUTHENTICATED"]
