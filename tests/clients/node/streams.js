// What graphql-ws and graphql-sse have in common: a client that gives results one after another.
import { MISTAKE, MUTATION, QUERY, STOCK, productId, say } from "./said.js";

export async function tryOut(client) {
  const variables = { id: productId };
  const one = async (operation) => (await client.iterate(operation).next()).value;
  say("query", (await one({ query: QUERY, variables })).data.product.name);
  say("mutation", (await one({ query: MUTATION })).data.cartItemRemove.userErrors[0].code);
  const code = await one({ query: MISTAKE }).then(
    (result) => result.errors[0].extensions.code,
    (errors) => errors[0]?.extensions.code ?? String(errors),
  );
  say("mistake", code);
  let count = 0;
  for await (const { data, errors } of client.iterate({ query: STOCK, variables })) {
    if (errors) throw new Error(JSON.stringify(errors));
    say("stock", data.stockChanged.stockQuantity);
    if (++count === 2) break;
  }
  await client.dispose();
  process.exit(0);
}
