/** Where Frontispiece is, kept in the store's metadata, and a delivery to it, signed after Standard Webhooks. */
const { createHmac } = require('node:crypto');

const SECONDS = 10; // that Frontispiece may take to answer

/** What `frontispiece connect` has stored: `{ hook, secret }`, or nothing. */
async function connection(container) {
    const { data } = await container.resolve('query').graph({ entity: 'store', fields: ['metadata'] });
    return data.map(store => store.metadata?.frontispiece).find(Boolean);
}

/** Posts the body; words on how it was answered. Throws where it was not taken. */
async function deliver({ hook, secret }, id, body) {
    const stamp = Math.floor(Date.now() / 1000).toString();
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${stamp}.${body}`).digest('base64');
    const answer = await fetch(hook, {
        method: 'POST',
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(SECONDS * 1000),
        headers: {
            'content-type': 'application/json',
            'webhook-id': id,
            'webhook-timestamp': stamp,
            'webhook-signature': `v1,${signature}`,
        },
    });
    if (!answer.ok) {
        throw new Error(`it answered ${answer.status}`);
    }
    return `it answered ${answer.status}`;
}

module.exports = { connection, deliver };
