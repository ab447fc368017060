import { createServer } from 'node:http'
import { useGraphQlJit } from '@envelop/graphql-jit'
import { createYoga } from 'graphql-yoga'
import { Loaders } from './loaders.js'
import { schema } from './schema.js'

// Documents, parsed and validated, are in its own cache (parserAndValidationCache) by default.
const yoga = createYoga({
  schema,
  context: () => ({ loaders: new Loaders() }),
  plugins: [useGraphQlJit()],
  graphiql: false,
  logging: 'error',
})
// longer than a busy machine may hold up the generator
createServer({ keepAliveTimeout: 120_000 }, yoga).listen(Number(process.env.PORT), '127.0.0.1')
