"""A client of the gateway for tests: on the wire, without a socket."""

from typing import Any

import httpx

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
