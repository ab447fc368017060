import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Defer20220824Handler, GraphQL17Alpha9Handler } from "@apollo/client/incremental";
import { DEFER, MISTAKE, MUTATION, QUERY, STOCK, productId, say, url } from "./said.js";

const made = (incrementalHandler) =>
  new ApolloClient({ link: new HttpLink({ uri: url }), cache: new InMemoryCache(), incrementalHandler });
const client = made(undefined);
const variables = { id: productId };

say("query", (await client.query({ query: gql(QUERY), variables })).data.product.name);
say("mutation", (await client.mutate({ mutation: gql(MUTATION) })).data.cartItemRemove.userErrors[0].code);
const { error } = await client.query({ query: gql(MISTAKE), errorPolicy: "all" });
say("mistake", CombinedGraphQLErrors.is(error) ? error.errors[0].extensions.code : String(error));

for (const [step, handler] of [["defer", new Defer20220824Handler()], ["defer now", new GraphQL17Alpha9Handler()]]) {
  const seen = [];
  await new Promise((resolve, reject) => {
    made(handler)
      .watchQuery({ query: gql(DEFER), variables })
      .subscribe((result) => {
        if (result.error) reject(result.error);
        if (result.data?.product) seen.push(result.data.product);
        if (result.dataState === "complete") resolve();
      });
  });
  say(step, { first: "stockQuantity" in seen[0], last: seen.at(-1).stockQuantity, results: seen.length });
}

await new Promise((resolve, reject) => {
  let count = 0;
  const subscription = client.subscribe({ query: gql(STOCK), variables }).subscribe(({ data, error }) => {
    if (error) reject(error);
    say("stock", data.stockChanged.stockQuantity);
    if (++count === 2) resolve(subscription.unsubscribe());
  });
});
process.exit(0);
