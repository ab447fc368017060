// What a script found, a line of JSON each; and the operations that all clients send.
export const [url, productId] = process.argv.slice(2);
export const say = (step, value) => console.log(JSON.stringify({ step, value }));

export const QUERY = "query ($id: ID!) { product(id: $id) { __typename id name } }";
export const MUTATION = 'mutation { cartItemRemove(input: { lineId: "x" }) { userErrors { code } } }';
export const MISTAKE = "{ nothing }";
export const STOCK = "subscription ($id: ID!) { stockChanged(productId: $id) { __typename id stockQuantity } }";
export const DEFER =
  'query ($id: ID!) { product(id: $id) { __typename id name ... @defer(label: "later") { stockQuantity } } }';
