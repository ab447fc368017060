import Fastify from 'fastify'
import mercurius from 'mercurius'
import { Loaders } from './loaders.js'
import { schema } from './schema.js'

// Documents, parsed and validated, are in its own cache by default.
const app = Fastify()
app.register(mercurius, { schema, jit: 1, context: () => ({ loaders: new Loaders() }) })
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) })
