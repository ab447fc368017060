import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { Loaders } from './loaders.js'
import { schema } from './schema.js'

// Documents, parsed and validated, are in its own cache (documentStore) by default.
const server = new ApolloServer({ schema })
await startStandaloneServer(server, {
  listen: { host: '127.0.0.1', port: Number(process.env.PORT) },
  context: async () => ({ loaders: new Loaders() }),
})
