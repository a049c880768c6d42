/** Tells Frontispiece what happens to products. */
const { randomUUID } = require('node:crypto');
const { tellFrontispiece } = require('../workflows/tell-frontispiece');

async function frontispiece({ event, container }) {
    for (const { id } of [event.data].flat()) {
        const said = { event: event.name, product: id, status: '', at: new Date().toISOString() };
        if (event.name !== 'product.deleted') {
            const asked = { entity: 'product', fields: ['status'], filters: { id } };
            const { data } = await container.resolve('query').graph(asked);
            if (!data.length) {
                continue; // deleted since: that is told by itself
            }
            said.status = data[0].status;
        }
        await tellFrontispiece(container).run({ input: { id: `msg_${randomUUID()}`, body: JSON.stringify(said) } });
    }
}

module.exports = {
    default: frontispiece,
    config: { event: ['product.created', 'product.updated', 'product.deleted'] },
};
