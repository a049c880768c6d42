/** One delivery as a workflow of its own, so that Medusa tries it again while Frontispiece is away. */
const { createStep, createWorkflow, StepResponse } = require('@medusajs/framework/workflows-sdk');
const { connection, deliver } = require('../lib/delivery');

const retryInterval = Number(process.env.FRONTISPIECE_RETRY_SECONDS ?? 60);
const tell = createStep(
    { name: 'tell-frontispiece', async: true, maxRetries: 30, retryInterval },
    async ({ id, body }, { container }) => {
        const where = await connection(container);
        return new StepResponse(where ? await deliver(where, id, body) : 'not connected yet');
    },
);

module.exports = { tellFrontispiece: createWorkflow('tell-frontispiece', delivery => void tell(delivery)) };
