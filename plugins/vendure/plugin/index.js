/**
 * Tells Frontispiece of new, published, changed and deleted products, signed after Standard Webhooks.
 *
 * `frontispiece connect` stores the address and the secret in Vendure's settings store. A delivery is a job of the
 * queue "frontispiece": it survives a restart, is tried again, and is to be seen in the dashboard's list of jobs.
 */
const { createHmac, randomUUID } = require('node:crypto');
const core = require('@vendure/core');

const IMAGES = ['id', 'featuredAssetId', 'assetIds'];
const TRIES = 10;
const SECONDS = 10; // that Frontispiece may take to answer
const connect = new core.PermissionDefinition({
    name: 'ConnectFrontispiece',
    description: 'Allows setting where Frontispiece is told of products',
});

class FrontispiecePlugin {
    constructor(events, jobs, settings, contexts, connection) {
        Object.assign(this, { events, jobs, settings, contexts });
        this.enabled = new WeakSet(); // products that the save under way makes visible
        connection.rawConnection.subscribers.push(this);
    }

    async onApplicationBootstrap() {
        this.queue = await this.jobs.createQueue({ name: 'frontispiece', process: job => this.send(job) });
        this.events.ofType(core.ProductEvent).subscribe(event => this.told(event).catch(report));
    }

    /** TypeORM's own hook: the event that Vendure fires afterwards no longer knows what was there before. */
    beforeUpdate({ entity, databaseEntity }) {
        if (entity instanceof core.Product && entity.enabled && databaseEntity?.enabled === false) {
            this.enabled.add(entity);
        }
    }

    async told(event) {
        const { entity, type, input, ctx } = event;
        if (type === 'updated' && Object.keys(input ?? {}).every(key => IMAGES.includes(key))) {
            return; // a picture and nothing else, as Frontispiece itself writes it
        }
        const visible = type === 'created' ? entity.enabled : type === 'updated' && this.enabled.has(entity);
        const said = {
            event: `entry.${visible ? 'published' : type}`,
            product: String(entity.id),
            channel: ctx.channel.code,
            language: ctx.languageCode,
            at: new Date().toISOString(),
        };
        await this.queue.add({ id: `msg_${randomUUID()}`, body: JSON.stringify(said) }, { retries: TRIES });
    }

    async send(job) {
        const ctx = await this.contexts.create({ apiType: 'admin' });
        const { hook, secret } = (await this.settings.get(ctx, 'frontispiece.connection')) ?? {};
        if (!hook) {
            return 'not connected yet: run "frontispiece connect"';
        }
        let words;
        try {
            words = await post(hook, secret, job.data.id, job.data.body);
        } catch (problem) {
            words = `${problem.message} ${problem.cause?.message ?? ''}`.trim();
            throw new Error(words);
        } finally {
            await this.settings.set(ctx, 'frontispiece.last', { at: new Date().toISOString(), words, hook });
        }
        return words;
    }
}

async function post(hook, secret, id, body) {
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
    const words = `answered ${answer.status}`;
    if (!answer.ok) {
        throw new Error(words);
    }
    return words;
}

function report(problem) {
    core.Logger.error(`the product was not told: ${problem.message}`, 'Frontispiece');
}

const { EventBus, JobQueueService, SettingsStoreService, RequestContextService, TransactionalConnection } = core;
const needed = [EventBus, JobQueueService, SettingsStoreService, RequestContextService, TransactionalConnection];
Reflect.defineMetadata('design:paramtypes', needed, FrontispiecePlugin);
core.VendurePlugin({
    imports: [core.PluginCommonModule],
    compatibility: '^3.6.0',
    configuration: config => {
        const nobody = { read: core.Permission.SuperAdmin, write: connect.Permission }; // it holds the secret
        config.authOptions.customPermissions.push(connect);
        config.settingsStoreFields = {
            ...config.settingsStoreFields,
            frontispiece: [
                { name: 'connection', requiresPermission: nobody },
                { name: 'last', requiresPermission: { read: connect.Permission }, readonly: true },
            ],
        };
        return config;
    },
})(FrontispiecePlugin);

module.exports = { FrontispiecePlugin };
