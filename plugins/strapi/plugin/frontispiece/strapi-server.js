'use strict';

// The panel's routes. The browser talks to Strapi with the editor's own rights; Strapi talks to the service with the
// token, which stays here.

const panel = require('./server/panel');

const ENTRY = '/:model/:id';
const ONE = `${ENTRY}/illustrations/:illustration`;

function route(method, path, act) {
  return { method, path, handler: `panel.${act}`, config: { policies: ['admin::isAuthenticatedAdmin'] } };
}

module.exports = {
  config: {
    default: { service: '', site: '', token: '' },
    validator({ service, site, token }) {
      if (!/^https?:\/\//.test(service) || !site || !token) {
        throw new Error('service (an http address), site and token must be set in config/plugins');
      }
    },
  },
  controllers: { panel },
  routes: {
    admin: {
      type: 'admin',
      routes: [
        route('GET', `${ENTRY}/illustrations`, 'list'),
        route('GET', `${ENTRY}/candidates/:candidate/image`, 'image'),
        route('POST', `${ONE}/approve`, 'approve'),
        route('POST', `${ONE}/regenerate`, 'regenerate'),
      ],
    },
  },
};
