import { Client, fetchExchange } from "@urql/core";
import { DEFER, MISTAKE, MUTATION, QUERY, STOCK, productId, say, url } from "./said.js";

const client = new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true });
const variables = { id: productId };

say("query", (await client.query(QUERY, variables)).data.product.name);
say("mutation", (await client.mutation(MUTATION, {})).data.cartItemRemove.userErrors[0].code);
say("mistake", (await client.query(MISTAKE, {})).error.graphQLErrors[0].extensions.code);

const seen = [];
await new Promise((resolve) => {
  client.query(DEFER, variables).subscribe((result) => {
    seen.push(result.data.product);
    if (!result.hasNext) resolve();
  });
});
say("defer", { first: "stockQuantity" in seen[0], last: seen.at(-1).stockQuantity, results: seen.length });

await new Promise((resolve) => {
  let count = 0;
  const { unsubscribe } = client.subscription(STOCK, variables).subscribe((result) => {
    if (!result.data) throw result.error;
    say("stock", result.data.stockChanged.stockQuantity);
    if (++count === 2) resolve(unsubscribe());
  });
});
process.exit(0);
