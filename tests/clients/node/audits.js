import { auditServer } from "graphql-http";
import { say, url } from "./said.js";

for (const result of await auditServer({ url, fetchFn: fetch })) {
  say(result.status, `${result.id} ${result.name}${result.status === "ok" ? "" : `: ${result.reason}`}`);
}
