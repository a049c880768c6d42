const panel = (env) => ({
  enabled: true,
  resolve: './src/plugins/frontispiece',
  config: { service: env('FRONTISPIECE_URL'), site: 'blog', token: env('FRONTISPIECE_TOKEN') },
});

module.exports = ({ env }) => ({
  'users-permissions': { config: { jwtSecret: 'for tests only' } },
  ...(env('FRONTISPIECE_URL') ? { frontispiece: panel(env) } : {}),
});
