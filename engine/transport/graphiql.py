"""GraphiQL, served whole from an installed package: the page asks no other address for anything."""

import json
from pathlib import Path

import graphene_django_graphiql_static
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

ASSETS = Path(graphene_django_graphiql_static.__file__).parent / "static" / "graphene_django_graphiql_static"

PAGE = """<!doctype html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Torii GraphiQL</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{assets}/graphiql.min.css">
<link rel="stylesheet" href="{assets}/style.css">
<style>body {{ margin: 0 }} #graphiql {{ height: 100vh }}</style>
</head>
<body>
<div id="graphiql">Loading …</div>
<script src="{assets}/react.production.min.js"></script>
<script src="{assets}/react-dom.production.min.js"></script>
<script src="{assets}/graphql-ws.min.js"></script>
<script src="{assets}/graphiql.min.js"></script>
<script src="{assets}/graphiql-plugin-explorer.umd.js"></script>
<script>const examples = {examples};</script>
<script>{script}</script>
</body>
</html>
"""

# Headers are JSON, which has no comments: what to fill in stands there unfinished, and is not sent until it is finished.
SCRIPT = """
const { createElement, useState } = React;
const hint = '{\\n  "Authorization": "Bearer "\\n}';
const isUnfinished = ([name, value]) => name.toLowerCase() === "authorization" && /^(bearer)?$/i.test(String(value).trim());
const finished = (headers) => Object.fromEntries(Object.entries(headers ?? {}).filter((each) => !isUnfinished(each)));

let latest = {};
const send = GraphiQL.createFetcher({
  url: location.pathname,
  wsClient: graphqlWs.createClient({
    url: location.origin.replace(/^http/, "ws") + location.pathname,
    lazy: true,
    connectionParams: () => latest,
  }),
});
function fetcher(operation, options) {
  latest = finished(options?.headers);
  return send(operation, { ...options, headers: latest });
}

function Page() {
  const [query, setQuery] = useState(undefined);
  const explorer = GraphiQLPluginExplorer.useExplorerPlugin({ query, onEdit: setQuery });
  const properties = {
    fetcher,
    query,
    onEditQuery: setQuery,
    plugins: [explorer],
    defaultTabs: examples.map((each) => ({ query: each, headers: hint })),
    defaultHeaders: hint,
    defaultEditorToolsVisibility: "headers",
    shouldPersistHeaders: false,
  };
  return createElement(GraphiQL, properties, createElement(GraphiQL.Logo, null, "Torii"));
}
ReactDOM.render(createElement(Page), document.getElementById("graphiql"));
"""

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",  # GraphiQL's style sheet carries its fonts
        "img-src 'self' data:",
        "frame-ancestors 'none'",
    )
)


class WithPage:
    """An endpoint that shows the page to browsers, and passes everything else on."""

    def __init__(self, endpoint: ASGIApp, shown: HTMLResponse) -> None:
        self._endpoint = endpoint
        self._page = shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        may_be = scope["method"] in ("GET", "HEAD")  # before anything is made for the many that are not
        target = self._page if may_be and _wants_page(Request(scope)) else self._endpoint
        await target(scope, receive, send)


def _wants_page(request: Request) -> bool:
    asks_for_html = "text/html" in request.headers.get("accept", "")
    return asks_for_html and "query" not in request.query_params


def page(assets: str, examples: list[str]) -> HTMLResponse:
    """The page. `examples` open as tabs."""
    embedded = json.dumps(examples, ensure_ascii=False).replace("<", "\\u003c")
    headers = {"content-security-policy": POLICY, "vary": "accept"}
    return HTMLResponse(PAGE.format(assets=assets, examples=embedded, script=SCRIPT), headers=headers)


def assets() -> StaticFiles:
    return StaticFiles(directory=ASSETS)
