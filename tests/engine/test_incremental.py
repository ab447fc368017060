"""`@defer` and `@stream`: to whom in which form, and what becomes of them when the client leaves or it takes too long."""

import json
from collections.abc import AsyncIterator, Hashable
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLDeferDirective,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLStreamDirective,
    GraphQLString,
    specified_directives,
)

from engine.exchange import Answer, Request
from engine.execution import Executor
from engine.fairness.allowance import NotAdmitted
from engine.policy import Policy
from engine.reading.bounds import Limits
from engine.streaming.incremental import FormOf2022
from engine.streaming.streams import Stream, Streams
from tests.engine.test_http_streams import asking
from tests.engine.test_http_streams import serving as serving_http
from tests.engine.test_subscriptions import Counting, Purse
from tests.engine.test_websocket import ask, client, heard, serving

SLOW = '{ hello thing { name ... @defer(label: "later") { slow } } }'
NOW = "multipart/mixed;incrementalSpec=v0.2, application/json;q=0.9"
OF_2022 = "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9"
EVENTS = "text/event-stream"


class Putting(Counting):
    """Has a thing with a slow field, one that fails, and numbers."""

    def schema(self) -> GraphQLSchema:
        async def slow(_root: Any, _info: Any) -> str:
            self.waiting += 1
            try:
                await self.go_on.wait()
            finally:
                self.waiting -= 1
            return "at last"

        def broken(_root: Any, _info: Any) -> str:
            raise OSError("secret")

        def a_thing(_root: Any, _info: Any) -> object:
            self.told += 1
            return object()

        plain = super().schema()
        thing = GraphQLObjectType(
            "Thing",
            {
                "name": GraphQLField(GraphQLString, resolve=lambda *_: "thing"),
                "slow": GraphQLField(GraphQLString, resolve=slow),
                "broken": GraphQLField(GraphQLNonNull(GraphQLString), resolve=broken),
                "numbers": GraphQLField(GraphQLList(GraphQLInt), resolve=lambda *_: [1, 2, 3]),
            },
        )
        assert plain.query_type is not None
        fields = {**plain.query_type.fields, "thing": GraphQLField(thing, resolve=a_thing)}
        return GraphQLSchema(
            GraphQLObjectType("Query", fields),
            subscription=plain.subscription_type,
            directives=[*specified_directives, GraphQLDeferDirective, GraphQLStreamDirective],
        )


async def payloads(text: AsyncIterator[str]) -> AsyncIterator[Any]:
    """The payloads of a multipart body, each as soon as its boundary is there."""
    seen = ""
    async for piece in text:
        seen += piece
        while "\r\n\r\n" in seen and "\r\n---" in seen[seen.index("\r\n\r\n") :]:
            payload, seen = seen[seen.index("\r\n\r\n") + 4 :].split("\r\n---", 1)
            yield json.loads(payload)
    assert seen == "--\r\n"


async def test_what_is_deferred_comes_when_it_is_there_in_the_present_form() -> None:
    server = Putting()
    async with serving_http(server=server) as (_, address), asking(address, SLOW, NOW) as text:
        coming = payloads(text)
        first = await anext(coming)
        assert first.pop("extensions")["cost"]["requested"] > 0
        pending = [{"id": "0", "path": ["thing"], "label": "later"}]
        assert first == {"data": {"hello": "world", "thing": {"name": "thing"}}, "pending": pending, "hasNext": True}
        server.go_on.set()
        last = {"incremental": [{"id": "0", "data": {"slow": "at last"}}], "completed": [{"id": "0"}], "hasNext": False}
        assert [each async for each in coming] == [last]


async def test_apollos_default_has_the_form_of_2022() -> None:
    server = Putting()
    async with serving_http(server=server) as (_, address), asking(address, SLOW, OF_2022) as text:
        coming = payloads(text)
        first = await anext(coming)
        del first["extensions"]
        assert first == {"data": {"hello": "world", "thing": {"name": "thing"}}, "hasNext": True}
        server.go_on.set()
        part = {"data": {"slow": "at last"}, "path": ["thing"], "label": "later"}
        assert [each async for each in coming] == [{"incremental": [part], "hasNext": False}]


class Two(Purse):
    """Lets two operations of a client run: the one that begins, and what it goes on with."""

    def begin(self, context: Any) -> Hashable:
        if self.running >= 2:
            raise NotAdmitted(429, {"message": "Too many run.", "extensions": {"code": "RATE_LIMITED"}}, {})
        return super().begin(context)


async def nobody() -> object:
    return object()


async def test_what_is_put_off_counts_as_running_until_it_is_told() -> None:
    server, purse = Putting(), Two(10_000)
    streams = Streams(Executor(server.schema(), lambda *_: None, Policy(30), purse))
    outcomes = [await streams.start(Request(SLOW), object(), nobody) for _ in range(3)]
    first, second, third = outcomes
    assert isinstance(first, Stream)
    assert isinstance(second, Answer)
    assert isinstance(third, Answer)
    assert second.body["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert purse.running == 1
    assert server.told == 1, "who is refused has begun nothing"
    server.go_on.set()
    async with first as answers:
        told = [answer.body async for answer in answers]
    assert told[-1]["incremental"][0]["data"] == {"slow": "at last"}
    assert purse.running == 0


async def test_events_and_sockets_carry_it_too() -> None:
    server = Putting()
    async with serving_http(server=server) as (_, address), asking(address, SLOW, EVENTS) as text:
        assert await anext(text) == ":\n\n"
        assert '"hasNext":true' in await anext(text)
        server.go_on.set()
        rest = "".join([each async for each in text])
        assert '"hasNext":false' in rest
        assert rest.endswith("event: complete\ndata:\n\n")
    server = Putting()
    streams = Streams(Executor(server.schema(), lambda *_: None, Policy(30)))
    async with serving(server, streams), client(server) as socket:
        await ask(socket, "1", SLOW)
        assert (await heard(socket))["payload"]["hasNext"] is True
        server.go_on.set()
        last = json.loads(await socket.recv())
        assert (last["type"], last["payload"]["hasNext"]) == ("next", False)
        assert json.loads(await socket.recv()) == {"type": "complete", "id": "1"}


@pytest.mark.parametrize("accept", ["application/json", "*/*", f"application/json, {EVENTS};q=0.5"])
async def test_who_does_not_take_parts_gets_the_whole(accept: str) -> None:
    server = Putting()
    server.go_on.set()
    async with serving_http(server=server) as (_, address), httpx.AsyncClient() as browser:
        answer = (await browser.post(address, json={"query": SLOW}, headers={"accept": accept})).json()
    del answer["extensions"]
    assert answer == {"data": {"hello": "world", "thing": {"name": "thing", "slow": "at last"}}}


async def test_nothing_that_is_put_off_is_one_answer() -> None:
    server = Putting()
    query = "query ($later: Boolean!) { thing { name ... @defer(if: $later) { numbers } } }"
    async with serving_http(server=server) as (_, address), httpx.AsyncClient() as browser:
        sent = {"query": query, "variables": {"later": False}}
        response = await browser.post(address, json=sent, headers={"accept": OF_2022})
    assert response.headers["content-type"].startswith("application/graphql-response+json")
    assert response.json()["data"] == {"thing": {"name": "thing", "numbers": [1, 2, 3]}}


async def test_items_are_streamed_in_both_forms() -> None:
    query = "{ thing { numbers @stream(initialCount: 1) } }"
    server = Putting()
    async with serving_http(server=server) as (_, address):
        for accept in (NOW, OF_2022):
            async with asking(address, query, accept) as text:
                first, *rest = [each async for each in payloads(text)]
            assert first["data"] == {"thing": {"numbers": [1]}}
            parts = [part for each in rest for part in each.get("incremental", ())]
            assert [item for part in parts for item in part["items"]] == [2, 3]
            if accept == OF_2022:
                assert parts[0]["path"] == ["thing", "numbers", 1]
            assert rest[-1]["hasNext"] is False


async def test_an_error_in_what_is_deferred_is_masked_and_takes_nothing_else_along() -> None:
    server = Putting()
    async with serving_http(server=server) as (_, address):
        for accept, where in ((NOW, "completed"), (OF_2022, "incremental")):
            async with asking(address, "{ thing { name ... @defer { broken } } }", accept) as text:
                first, last = [each async for each in payloads(text)]
            assert first["data"] == {"thing": {"name": "thing"}}
            [failed] = last[where]
            assert failed["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
            assert "secret" not in json.dumps(last)


async def test_who_leaves_before_it_is_there_leaves_no_work_behind() -> None:
    server = Putting()
    async with serving_http(server=server) as (_, address):
        async with asking(address, SLOW, NOW) as text:
            await anext(payloads(text))
            await server.until(lambda: server.waiting == 1)
        await server.until(lambda: server.waiting == 0)


async def test_what_is_too_late_is_told_so() -> None:
    server = Putting()
    policy = Policy(0.2)
    async with serving_http(server=server, policy=policy) as (_, address), asking(address, SLOW, NOW) as text:
        first, last = [each async for each in payloads(text)]
        assert first["hasNext"] is True
        assert last["hasNext"] is False
        assert [each["errors"][0]["extensions"]["code"] for each in last["completed"]] == ["TIMEOUT"]
        await server.until(lambda: server.waiting == 0)


async def test_parts_cost_for_each_value_that_they_are_on() -> None:
    executor = Executor(Putting().schema(), lambda *_: None, Policy(5, Limits(cost=40)))
    query = "{ thing { a: numbers @stream b: numbers @stream } }"  # of ten items each, as is assumed
    refused = await executor.begin(Request(query), None, executor.run_once, in_parts=True)
    assert refused.body["errors"][0]["extensions"]["code"] == "COST_LIMIT_EXCEEDED"
    assert "errors" not in (await executor.run(Request(query), None)).body


def test_a_stream_within_what_is_deferred_begins_where_its_list_ends() -> None:
    form = FormOf2022()
    form.of({"data": {"a": {}}, "pending": [{"id": "0", "path": ["a"]}], "hasNext": True})
    form.of(
        {
            "incremental": [{"id": "0", "data": {"list": [1, 2]}}],
            "completed": [{"id": "0"}],
            "pending": [{"id": "1", "path": ["a", "list"]}],
            "hasNext": True,
        }
    )
    last = form.of({"incremental": [{"id": "1", "items": [3]}], "completed": [{"id": "1"}], "hasNext": False})
    assert last == {"incremental": [{"items": [3], "path": ["a", "list", 2]}], "hasNext": False}
