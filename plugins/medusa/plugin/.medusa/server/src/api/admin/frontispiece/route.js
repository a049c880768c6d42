/** GET /admin/frontispiece, for `frontispiece doctor`: sends a test delivery and says how it was answered. */
const { randomUUID } = require('node:crypto');
const { connection, deliver } = require('../../../lib/delivery');

async function GET(request, response) {
    const where = await connection(request.scope);
    if (!where) {
        return response.json({ hook: '', answered: false, words: 'not connected yet' });
    }
    const said = { event: 'ping', at: new Date().toISOString() };
    try {
        const words = await deliver(where, `msg_${randomUUID()}`, JSON.stringify(said));
        return response.json({ hook: where.hook, answered: true, words });
    } catch (problem) {
        const words = `${problem.message} ${problem.cause?.message ?? ''}`.trim();
        return response.json({ hook: where.hook, answered: false, words });
    }
}

module.exports = { GET };
