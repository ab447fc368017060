"""A client of the gateway for tests: on the wire, without a socket."""

import asyncio
from typing import Any
from uuid import UUID

import httpx

from resolvers.global_ids import encode

Answer = dict[str, Any]


class Client:
    """Sends operations to `/graphql`. `token` and `guest` go with every one of them."""

    def __init__(self, http: httpx.AsyncClient, *, token: str | None = None, guest: str | None = None) -> None:
        self.http = http
        self.headers = {"accept": "application/graphql-response+json", "accept-language": "en"}
        if token:
            self.headers["authorization"] = f"Bearer {token}"
        if guest:
            self.headers["x-guest-token"] = guest

    async def post(self, query: str, /, **variables: Any) -> httpx.Response:
        return await self.http.post("/graphql", json={"query": query, "variables": variables}, headers=self.headers)

    async def answer(self, query: str, /, **variables: Any) -> Answer:
        """The whole answer, with its errors."""
        answer: Answer = (await self.post(query, **variables)).json()
        return answer

    async def data(self, query: str, /, **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def codes(self, query: str, /, **variables: Any) -> list[str]:
        """The codes of an answer's errors."""
        answer = await self.answer(query, **variables)
        return [error["extensions"]["code"] for error in answer.get("errors", [])]

    async def works_for(self, seller: UUID) -> None:
        """Wait until the gateway knows that they do: what is known of a user is kept for half a second."""
        async with asyncio.timeout(60):
            while (await self.data(BALANCES, id=encode("Seller", seller)))["sellerBalances"] is None:
                await asyncio.sleep(0.01)


BALANCES = "query ($id: ID!) { sellerBalances(sellerId: $id) { payable { amount } } }"
