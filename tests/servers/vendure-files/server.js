// A Vendure shop in one process, server and worker; what differs from site to site comes from the environment.
const { createHash } = require('node:crypto');
const path = require('node:path');
const core = require('@vendure/core');
const { AssetServerPlugin } = require('@vendure/asset-server-plugin');
const { FrontispiecePlugin } = require('./plugins/frontispiece');

const { PORT, DATABASE_URL, PREPARE } = process.env;
const assets = { assetUploadDir: path.join(__dirname, 'assets'), assetUrlPrefix: `http://127.0.0.1:${PORT}/assets/` };

// Vendure's own hash of an API key takes 0.3 s of processor time with every call.
const hash = async text => createHash('sha256').update(text).digest('hex');
const hashingStrategy = { hash, check: async (text, known) => (await hash(text)) === known };

const config = {
    apiOptions: { hostname: '127.0.0.1', port: Number(PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
    authOptions: {
        tokenMethod: ['bearer', 'api-key'],
        superadminCredentials: { identifier: 'superadmin', password: 'for tests only' },
        adminApiKeyStrategy: new core.RandomBytesApiKeyStrategy({ hashingStrategy }),
        cookieOptions: { secret: 'for tests only' },
    },
    dbConnectionOptions: { type: 'postgres', url: DATABASE_URL, synchronize: PREPARE === 'yes', logging: false },
    paymentOptions: { paymentMethodHandlers: [core.dummyPaymentHandler] },
    customFields: { Asset: [{ name: 'alt', type: 'string', nullable: true }] },
    plugins: [
        core.DefaultJobQueuePlugin.init({ useDatabaseForBuffer: true, pollInterval: 50 }),
        core.DefaultSearchPlugin.init({}),
        AssetServerPlugin.init({ route: 'assets', ...assets }),
        FrontispiecePlugin,
    ],
};

core.bootstrap(config).then(app => app.get(core.JobQueueService).start());
