/**
 * Tells Frontispiece what happens to documents: one message each, signed as Standard Webhooks has it.
 *
 *     plugins: [frontispiece({ hook: '…/hooks/<site>', secret: 'whsec_…', collections: ['posts'], user: 'frontispiece@…' })]
 *
 * `user` is the e-mail, user name or id of Frontispiece's own user, whose writes are not told. `background` is for hosts
 * that freeze a process behind its answer, such as Vercel: give it their `waitUntil`.
 */
import { createHmac, randomUUID } from 'node:crypto'

const TRIES = [0, 5, 30] // seconds before each

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000))

const post = async (hook, secret, id, said) => {
  const body = JSON.stringify(said)
  const stamp = String(Math.floor(Date.now() / 1000))
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${stamp}.${body}`).digest('base64')
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': stamp,
    'webhook-signature': `v1,${signature}`,
  }
  const answer = await fetch(hook, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(10_000) })
  return { status: answer.status, words: (await answer.text()).slice(0, 300) }
}

const isPublic = (doc) => Boolean(doc) && (doc._status ?? 'published') === 'published'

const kindOf = (operation, doc, before) => {
  if (doc.deletedAt && !before?.deletedAt) return 'deleted'
  if (isPublic(doc) && (operation === 'create' || !isPublic(before))) return 'published'
  return operation === 'create' ? 'created' : 'updated'
}

export const frontispiece = ({ hook, secret, collections, user, background = () => {} }) => {
  if (!user) throw new Error('frontispiece: `user` is missing, the email, user name or id that Frontispiece logs in with')
  const isOurs = (who) => Boolean(who) && [who.email, who.username, who.id].includes(user)

  const deliver = async (req, said) => {
    // The hooks run inside the transaction: what is told before its end, nobody can read yet.
    for (let left = 200; req.transactionID && left; left -= 1) await wait(0.05)
    const id = `msg_${randomUUID()}`
    for (const seconds of TRIES) {
      await wait(seconds)
      const { status, words } = await post(hook, secret, id, said).catch((problem) => ({ words: String(problem) }))
      if (status >= 200 && status < 300) return
      req.payload.logger.warn(`Frontispiece was not told ${said.event}: ${status ?? ''} ${words}`)
    }
  }

  const tell = (kind, { collection, doc, req }) => {
    const locale = req.payload.config.localization && req.locale !== 'all' ? req.locale : ''
    if (!isOurs(req.user)) {
      background(deliver(req, { event: `entry.${kind}`, collection: collection.slug, id: doc.id, locale }))
    }
    return doc
  }

  const afterChange = (args) => {
    const isTyping = args.operation === 'update' && String(args.req.query?.autosave) === 'true'
    return isTyping ? args.doc : tell(kindOf(args.operation, args.doc, args.previousDoc), args)
  }
  const afterDelete = (args) => tell('deleted', args)

  const withHooks = (collection) => ({
    ...collection,
    hooks: {
      ...collection.hooks,
      afterChange: [...(collection.hooks?.afterChange ?? []), afterChange],
      afterDelete: [...(collection.hooks?.afterDelete ?? []), afterDelete],
    },
  })

  const test = async (req) => {
    if (!req.user) return Response.json({ words: 'who are you?' }, { status: 401 })
    const told = await post(hook, secret, `msg_${randomUUID()}`, { event: 'test.ping' }).catch((problem) => ({
      status: 0,
      words: `${problem}${problem.cause ? ` (${problem.cause})` : ''}`,
    }))
    return Response.json({ hook, ...told })
  }

  return (config) => ({
    ...config,
    collections: config.collections.map((one) => (collections.includes(one.slug) ? withHooks(one) : one)),
    endpoints: [...(config.endpoints ?? []), { path: '/frontispiece/test', method: 'post', handler: test }],
  })
}
