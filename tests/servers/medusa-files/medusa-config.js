const { defineConfig } = require('@medusajs/framework/utils');

const { PORT, DATABASE_URL } = process.env;
const url = `http://127.0.0.1:${PORT}`;
const local = { resolve: '@medusajs/medusa/file-local', id: 'local', options: { upload_dir: 'static', backend_url: `${url}/static` } };
module.exports = defineConfig({
    admin: { disable: true },
    projectConfig: {
        databaseUrl: DATABASE_URL,
        databaseDriverOptions: { connection: { ssl: false } },
        http: { storeCors: url, adminCors: url, authCors: url, jwtSecret: 'for tests only', cookieSecret: 'for tests only' },
    },
    plugins: [`${__dirname}/plugins/frontispiece-medusa`],
    modules: [{ resolve: '@medusajs/medusa/file', options: { providers: [local] } }],
});
