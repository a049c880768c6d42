/**
 * Payload without Next, which its own documentation allows (`handleEndpoints`): the REST API alone, under /api.
 * PORT, DATABASE (a file), MEDIA (a folder), PLUGIN (the file of ours), HOOK, SECRET and SERVICE (its e-mail) are set
 * by tests/servers/payload.py; with SEED nothing is served, the tables and the users are made.
 */
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { sqliteAdapter } from '@payloadcms/db-sqlite'
import { buildConfig, getPayload, handleEndpoints } from 'payload'
import sharp from 'sharp'

const { PORT = '3000', DATABASE, MEDIA, PLUGIN, HOOK, SECRET, SERVICE, SEED } = process.env
const { frontispiece } = await import(PLUGIN)

const known = ({ req }) => Boolean(req.user)
const writers = ({ req }) => Boolean(req.user) && req.user.role !== 'reader'
const access = { create: writers, update: writers, delete: writers }
// Inside the transaction, behind all `afterChange`: what is told before its end cannot be read yet.
const slowly = async ({ result }) => {
  if (result?.title === 'Slow') await new Promise((done) => setTimeout(done, 1000))
  return result
}
const words = (name, more) => ({ name, type: 'text', ...more })

const config = await buildConfig({
  secret: 'for tests only',
  serverURL: `http://127.0.0.1:${PORT}`,
  telemetry: false,
  sharp,
  db: sqliteAdapter({ client: { url: `file:${DATABASE}` }, push: Boolean(SEED), transactionOptions: {} }),
  typescript: { autoGenerate: false },
  localization: { locales: ['en', 'de'], defaultLocale: 'en', fallback: true },
  plugins: [
    frontispiece({ hook: HOOK, secret: SECRET, collections: ['articles', 'products'], user: SERVICE }),
  ],
  collections: [
    { slug: 'users', auth: { useAPIKey: true }, access: { read: known }, fields: [words('role')] },
    {
      slug: 'media',
      access: { ...access, read: () => true },
      upload: { staticDir: MEDIA, mimeTypes: ['image/*'], imageSizes: [{ name: 'card', width: 64, height: 64 }] },
      fields: [words('alt', { required: true, localized: true }), words('caption', { localized: true }), words('credit')],
    },
    {
      slug: 'articles',
      access: { ...access, read: ({ req }) => (req.user ? true : { _status: { equals: 'published' } }) },
      versions: { drafts: true },
      trash: true,
      hooks: { afterOperation: [slowly] },
      fields: [
        words('title', { required: true, localized: true }),
        words('slug'),
        { name: 'excerpt', type: 'textarea' },
        { name: 'body', type: 'json' },
        { name: 'hero', type: 'upload', relationTo: 'media' },
        words('tags', { hasMany: true }),
        { name: 'plain', type: 'checkbox' },
      ],
    },
    {
      slug: 'products',
      access: { ...access, read: () => true },
      fields: [
        words('name', { required: true }),
        {
          name: 'meta',
          type: 'group',
          fields: [words('description'), { name: 'picture', type: 'upload', relationTo: 'media' }, words('pictureAlt')],
        },
      ],
    },
  ],
})

const payload = await getPayload({ config })

const seed = async () => {
  for (const role of ['editor', 'service', 'reader']) {
    await payload.create({
      collection: 'users',
      data: { email: `${role}@example.org`, password: 'password', role, enableAPIKey: true, apiKey: `${role}-00000000-0000-4000-8000-00000000beef` },
    })
  }
  process.exit(0)
}

const answer = async (req, res) => {
  const body = ['GET', 'HEAD'].includes(req.method) ? {} : { body: Readable.toWeb(req), duplex: 'half' }
  const asked = new Request(`http://127.0.0.1:${PORT}${req.url}`, { method: req.method, headers: req.headers, ...body })
  const told = await handleEndpoints({ config, request: asked })
  res.writeHead(told.status, Object.fromEntries(told.headers))
  if (told.body) Readable.fromWeb(told.body).pipe(res)
  else res.end()
}

if (SEED) await seed()
else createServer(answer).listen(Number(PORT), '127.0.0.1')
