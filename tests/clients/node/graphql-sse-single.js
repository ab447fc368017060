import { createClient } from "graphql-sse";
import { url } from "./said.js";
import { tryOut } from "./streams.js";

await tryOut(createClient({ url, singleConnection: true, retryAttempts: 0 }));
