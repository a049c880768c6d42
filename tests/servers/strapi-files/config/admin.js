module.exports = ({ env }) => ({
  serveAdminPanel: env.bool('SERVE_ADMIN', false),
  auth: { secret: 'for tests only' },
  rateLimit: { enabled: false },
  apiToken: { salt: 'for tests only' },
  transfer: { token: { salt: 'for tests only' } },
  secrets: { encryptionKey: 'for tests only, 32 characters ..' },
  flags: { nps: false, promoteEE: false },
});
