"""How operations come in and answers go out: HTTP, WebSocket, server-sent events, and the page for browsers."""
