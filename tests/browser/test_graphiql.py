"""GraphiQL in Chromium, the way a person uses it: on `torii up`, with the real shop imported while it runs."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, WebError, WebSocket, expect

from schema.build import build_schema
from tests.browser.conftest import CHROMIUM, Marketplace

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: as root, `apt-get install chromium`"),
]

SAMPLE = Path(__file__).parents[1] / "data" / "online-retail-sample.parquet"
JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")
ANSWER_MS = 10_000

SEARCH = """
query HangingHeart {
  search(query: "White Hanging Heart", first: 5) {
    relaxed { words }
    nodes { product { name price { amount currencyCode } seller { name } } }
  }
}
"""
# GraphiQL notices a moment after an edit, or a change of tabs, which operation is there to run.
KNOWS_ITS_OPERATION = """
() => {
  const editor = document.querySelector(".graphiql-query-editor .CodeMirror").CodeMirror;
  return editor.operationName && editor.getValue().includes(editor.operationName);
}
"""
ALL_THAT_IS_SHOWN = "() => document.querySelector('.result-window .CodeMirror').CodeMirror.getValue()"
OVER_WEBSOCKET = """
(headers) => new Promise((done, failed) => {
  const url = location.origin.replace(/^http/, "ws") + location.pathname;
  const client = graphqlWs.createClient({ url, connectionParams: headers, retryAttempts: 0 });
  const answers = [];
  client.subscribe({ query: "{ viewer { email } }" }, {
    next: (answer) => answers.push(answer),
    error: (problem) => failed(new Error(JSON.stringify(problem))),
    complete: () => { client.dispose(); done(answers); },
  });
})
"""


class GraphiQL:
    """The page, by what a person sees and does."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.query = page.get_by_role("region", name="Query Editor")
        self.result = page.get_by_role("region", name="Result Window")
        self.tabs = page.locator(".graphiql-tab-button")

    async def open(self, url: str) -> None:
        await self.page.goto(f"{url}/graphql")
        await expect(self.page.get_by_role("button", name="Execute query")).to_be_visible()

    async def choose(self, tab: str) -> None:
        await self.tabs.filter(has_text=tab).click()

    async def tool(self, name: str) -> Locator:
        """The pane of variables or headers, shown."""
        await self.page.get_by_role("button", name=name, exact=True).click()
        return self.page.get_by_role("region", name=name)

    async def write(self, pane: Locator, text: str) -> None:
        """Type over what the pane's editor holds."""
        await pane.locator(".CodeMirror:visible").click()
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.insert_text(text)

    async def sign_in(self, token: str) -> None:
        await self.write(await self.tool("Headers"), json.dumps({"Authorization": f"Bearer {token}"}))

    async def run(self) -> Any:
        """Press the button. The data shown, which must have come without errors."""
        await self.page.wait_for_function(KNOWS_ITS_OPERATION)
        await self.page.get_by_role("button", name="Execute query").click()
        # emptied by the click; the editor draws only the lines in sight, so it is asked for all of them
        shown = await self.page.wait_for_function(ALL_THAT_IS_SHOWN, timeout=ANSWER_MS)
        answer = json.loads(await shown.json_value())
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


class Watch:
    """What the browser sent, and what it complained about."""

    def __init__(self) -> None:
        self.origins: set[str] = set()
        self.complaints: list[str] = []

    def request(self, request: Request) -> None:
        self._called(request.url)

    def websocket(self, socket: WebSocket) -> None:
        self._called(socket.url.replace("ws", "http", 1))

    def console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text[:300])

    def error(self, error: WebError) -> None:
        self.complaints.append(str(error.error))

    def _called(self, url: str) -> None:
        address = urlsplit(url)
        self.origins.add(f"{address.scheme}://{address.netloc}")


@pytest.fixture
async def graphiql(browser: Browser, marketplace: Marketplace) -> AsyncIterator[GraphiQL]:
    """The page, opened by somebody who was never here. It must ask no other address, and complain of nothing."""
    watch = Watch()
    context = await browser.new_context(locale="ja-JP", viewport={"width": 1400, "height": 900})
    context.on("request", watch.request)
    context.on("console", watch.console)
    context.on("weberror", watch.error)
    page = await context.new_page()
    page.on("websocket", watch.websocket)
    graphiql = GraphiQL(page)
    await graphiql.open(marketplace.url)
    yield graphiql
    await context.close()
    assert watch.origins == {marketplace.url}
    assert watch.complaints == []


@pytest.fixture(scope="session")
async def token(marketplace: Marketplace) -> str:
    return await marketplace.torii("token", "buyer@example.com")


async def test_opens_with_the_examples_as_tabs_and_a_hint_for_signing_in(graphiql: GraphiQL) -> None:
    assert await graphiql.page.title() == "Torii GraphiQL"
    await expect(graphiql.tabs).to_have_text(["Marketplace", "NewestProducts", "Search", "AddToCart"])
    await expect(graphiql.query).to_contain_text("query Marketplace {")
    await expect(graphiql.page.get_by_role("region", name="Headers")).to_contain_text('"Authorization": "Bearer "')


async def test_the_first_example_crosses_the_marketplace_for_guests_too(graphiql: GraphiQL) -> None:
    data = await graphiql.run()
    assert data["viewer"] is None
    assert data["cart"] == {"totalQuantity": 0, "lines": []}
    recommended = [node["product"] for node in data["recommendations"]["nodes"]]
    assert len(recommended) == 5
    assert all(product["seller"]["name"] and product["reviews"]["nodes"] for product in recommended)
    assert data["search"]["totalCount"]["value"] > 0
    await expect(graphiql.result).to_contain_text(JAPANESE)


async def test_a_token_in_the_headers_pane_shows_the_orders(graphiql: GraphiQL, token: str) -> None:
    await graphiql.sign_in(token)
    viewer = (await graphiql.run())["viewer"]
    assert JAPANESE.search(viewer["displayName"])
    assert len(viewer["orders"]["nodes"]) == 3
    for order in viewer["orders"]["nodes"]:
        assert order["items"]
        assert order["total"]["currencyCode"] == "JPY"


async def test_what_a_guest_adds_to_the_cart_is_there_in_the_next_query(graphiql: GraphiQL) -> None:
    await graphiql.choose("NewestProducts")
    newest = (await graphiql.run())["products"]["nodes"]
    product = next(each for each in newest if not each["variations"])

    await graphiql.choose("AddToCart")
    await graphiql.write(await graphiql.tool("Variables"), json.dumps({"productId": product["id"]}))
    added = (await graphiql.run())["cartItemAdd"]
    assert added["userErrors"] == []
    assert added["cart"]["totalQuantity"] == 2

    await graphiql.choose("Marketplace")
    (line,) = (await graphiql.run())["cart"]["lines"]
    assert (line["quantity"], line["product"]["name"]) == (2, product["name"])


async def test_a_shop_imported_while_the_gateway_runs_is_found(graphiql: GraphiQL, marketplace: Marketplace) -> None:
    await graphiql.write(graphiql.query, SEARCH)
    assert (await graphiql.run())["search"]["relaxed"], "there is something that has all of these words"

    assert "3,198" in await marketplace.torii("import", "online-retail", str(SAMPLE))

    searched = (await graphiql.run())["search"]
    assert searched["relaxed"] is None
    (found,) = searched["nodes"]
    assert found["product"] == {
        "name": "White Hanging Heart T-light Holder",
        "price": {"amount": "2.55", "currencyCode": "GBP"},
        "seller": {"name": "Online Retail (UCI)"},
    }


async def test_the_documentation_describes_the_schema(graphiql: GraphiQL) -> None:
    query = build_schema()._schema.query_type
    assert query is not None
    described = query.fields["recommendations"].description
    assert described

    await graphiql.page.get_by_role("button", name="Show Documentation Explorer").click()
    explorer = graphiql.page.get_by_role("region", name="Documentation Explorer")
    await explorer.get_by_role("link", name="Query", exact=True).click()
    await expect(explorer.get_by_text(described)).to_be_visible()


async def test_the_explorer_ticks_what_the_query_selects(graphiql: GraphiQL) -> None:
    await graphiql.page.get_by_role("button", name="Show GraphiQL Explorer").click()
    await expect(graphiql.page.locator(".graphiql-explorer-root")).to_contain_text("recommendations")


async def test_the_page_speaks_graphql_over_websocket(graphiql: GraphiQL, token: str) -> None:
    page = graphiql.page
    [answer] = await page.evaluate(OVER_WEBSOCKET, {})
    assert answer["data"] == {"viewer": None}
    signed_in = {"Authorization": f"Bearer {token}"}
    [answer] = await page.evaluate(OVER_WEBSOCKET, signed_in)
    assert answer["data"] == {"viewer": {"email": "buyer@example.com"}}


async def test_a_subscription_shows_the_present_value_until_it_is_stopped(graphiql: GraphiQL) -> None:
    await graphiql.choose("NewestProducts")
    product = (await graphiql.run())["products"]["nodes"][0]
    watched = f'subscription Stock {{ stockChanged(productId: "{product["id"]}") {{ name stockQuantity }} }}'
    await graphiql.write(graphiql.query, watched)
    shown = (await graphiql.run())["stockChanged"]
    assert shown["name"] == product["name"]
    await graphiql.page.get_by_role("button", name="Stop query").click()
    await expect(graphiql.page.get_by_role("button", name="Execute query")).to_be_visible()


async def test_what_is_deferred_is_filled_in(graphiql: GraphiQL) -> None:
    await graphiql.choose("NewestProducts")
    product = (await graphiql.run())["products"]["nodes"][0]
    await graphiql.write(
        graphiql.query, f'query Deferred {{ product(id: "{product["id"]}") {{ name ... @defer {{ sku slug }} }} }}'
    )
    await graphiql.page.wait_for_function(KNOWS_ITS_OPERATION)
    await graphiql.page.get_by_role("button", name="Execute query").click()
    await expect(graphiql.result).to_contain_text('"slug"', timeout=ANSWER_MS)
    await expect(graphiql.result).to_contain_text(product["name"])
