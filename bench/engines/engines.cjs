// The feed in graphql-js and graphql-jit. A line on standard input names an engine and a number of runs; the answer is a line with
// the microseconds of CPU that each took. With the number 0 it is what the engine answers.
"use strict";
const { createRequire } = require("node:module");
const { createInterface } = require("node:readline");
const [modules, rows] = process.argv.slice(2);
const load = createRequire(modules + "/engines.cjs");
const { buildSchema, execute, parse } = load("graphql");
const { compileQuery } = load("graphql-jit");
const DataLoader = load("dataloader");

const { items, authors, tags, sdl, query } = JSON.parse(require("node:fs").readFileSync(rows, "utf8"));
const document = parse(query);
const variables = { first: items.length };

function schemaOf(author, tagsOf) {
  const schema = buildSchema(sdl);
  const types = schema.getTypeMap();
  types.Query.getFields().feed.resolve = () => ({});
  types.Feed.getFields().items.resolve = async (_feed, { first }) => items.slice(0, first);
  types.Item.getFields().author.resolve = author;
  types.Item.getFields().tags.resolve = tagsOf;
  return schema;
}

const loading = schemaOf(
  (item, _arguments, context) => context.authors.load(item.author_id),
  (item, _arguments, context) => context.tags.load(item.id),
);
const reading = schemaOf((item) => authors[item.author_id], (item) => tags[item.id]);
const context = () => ({
  authors: new DataLoader(async (keys) => keys.map((key) => authors[key])),
  tags: new DataLoader(async (keys) => keys.map((key) => tags[key])),
});
const compiled = { loading: compileQuery(loading, document), reading: compileQuery(reading, document) };
const plain = (schema) => execute({ schema, document, variableValues: variables, contextValue: context() });

const engines = {
  js: async () => JSON.stringify(await plain(loading)),
  "js without loaders": async () => JSON.stringify(await plain(reading)),
  jit: async () => JSON.stringify(await compiled.loading.query({}, context(), variables)),
  "jit without loaders": async () => JSON.stringify(await compiled.reading.query({}, context(), variables)),
};

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { engine, times } = JSON.parse(line);
    if (times === 0) {
      console.log(JSON.stringify(await engines[engine]()));
      continue;
    }
    const before = process.cpuUsage();
    for (let run = 0; run < times; run++) await engines[engine]();
    const { user, system } = process.cpuUsage(before);
    console.log(JSON.stringify((user + system) / times));
  }
}
main();
