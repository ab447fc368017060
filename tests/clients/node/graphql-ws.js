import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { url } from "./said.js";
import { tryOut } from "./streams.js";

await tryOut(createClient({ url: url.replace(/^http/, "ws"), webSocketImpl: WebSocket }));
