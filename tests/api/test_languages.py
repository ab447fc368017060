"""In which language people are told what was refused."""

import httpx
import pytest

from tests.api.client import Client

ADD = 'mutation %s { cartItemAdd(input: {productId: "none", quantity: 1}) { userErrors { code message } } }'
JAPANESE, ENGLISH = "このIDのProductはありません。", "no Product has this id"


async def told(http: httpx.AsyncClient, language: str | None, directive: str = "", **variables: object) -> str:
    client = Client(http)
    client.headers.pop("accept-language")
    if language is not None:
        client.headers["accept-language"] = language
    [error] = (await client.data(ADD % directive, **variables))["cartItemAdd"]["userErrors"]
    assert error["code"] == "NOT_FOUND"
    return str(error["message"])


async def test_the_marketplace_speaks_japanese_unless_asked(http: httpx.AsyncClient) -> None:
    assert await told(http, None) == JAPANESE
    assert await told(http, "de") == JAPANESE
    assert await told(http, "en-GB,en;q=0.9,ja;q=0.8") == ENGLISH


async def test_the_operation_itself_wins_over_the_header(http: httpx.AsyncClient) -> None:
    assert await told(http, "en", "@inContext(language: JA, country: JP)") == JAPANESE
    assert await told(http, None, "@inContext(language: EN)") == ENGLISH
    assert await told(http, "en", "@inContext(country: JP)") == ENGLISH
    assert await told(http, "en", "@inContext") == ENGLISH


@pytest.mark.parametrize(("given", "expected"), [({"l": "JA"}, JAPANESE), ({"l": None}, ENGLISH), ({}, ENGLISH)])
async def test_a_variable_may_name_the_language(
    http: httpx.AsyncClient, given: dict[str, object], expected: str
) -> None:
    assert await told(http, "en", "($l: LanguageCode) @inContext(language: $l)", **given) == expected


async def test_errors_of_queries_speak_it_too(api: Client) -> None:
    query = "query { products(first: 1000) { nodes { id } } }"
    assert (await api.answer(query))["errors"][0]["message"] == "first must be from 0 to 100, not 1000"
    in_japanese = query.replace("query", "query @inContext(language: JA)")
    assert (await api.answer(in_japanese))["errors"][0]["message"].startswith("firstには0～100")


async def test_a_bad_token_is_refused_in_the_language_of_the_request(http: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer nonsense", "accept-language": "ja"}
    response = await http.post("/graphql", json={"query": "{ cart { version } }"}, headers=headers)
    assert response.status_code == 401
    assert response.json()["errors"][0]["message"].startswith("アクセストークンが無効です")


@pytest.mark.parametrize(
    "wrong", ["@inContext(language: FR)", '@inContext(language: "ja")', "@inContext(currency: JPY)"]
)
async def test_a_language_that_there_is_not_is_refused(api: Client, wrong: str) -> None:
    assert await api.codes(ADD % wrong) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_a_variable_that_does_not_fit_is_refused(api: Client) -> None:
    assert await api.codes(ADD % "($l: LanguageCode) @inContext(language: $l)", l="FR") == ["GRAPHQL_VALIDATION_FAILED"]
