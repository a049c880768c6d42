'use strict';

// What the panel asks for: whoever may edit an entry may see and decide its picture.

const { Trouble, decide, illustrations, picture } = require('./service');

const MOST = 5000; // characters of an alternative text or a prompt
const WORDS = {
  queued: 'The picture is waiting for its turn.',
  composing: 'The picture is being described.',
  rendering: 'The picture is being made.',
  in_review: 'The picture is ready for your decision.',
  approved: 'Approved; the picture is on its way to this entry.',
  publishing: 'The picture is being put on this entry.',
  published: 'The picture is on this entry.',
  reverted: 'The picture was taken off this entry again.',
  rejected: 'The picture was rejected.',
  held: 'The picture waits for an administrator.',
  failed: 'The picture could not be made.',
  skipped: 'No picture is made for this entry.',
};

/** The entry's name at the service, once it is sure that this editor may edit it. */
async function editable(ctx) {
  const { model, id } = ctx.params;
  if (!model.startsWith('api::') || !strapi.contentTypes[model]) {
    throw new Trouble('There is no such type.', 404);
  }
  const manager = strapi.plugin('content-manager');
  const rights = manager.service('permission-checker').create({ userAbility: ctx.state.userAbility, model });
  if (rights.cannot.update()) {
    throw new Trouble('You may not edit this type.', 403);
  }
  const { locale } = ctx.query;
  const query = await rights.sanitizedQuery.update({ locale }); // brings along what conditions of a role look at
  const populate = await manager.service('populate-builder')(model).populateFromQuery(query).build();
  const entry = await manager.service('document-manager').findOne(id, model, { populate, locale, status: 'draft' });
  if (!entry) {
    throw new Trouble('There is no such entry.', 404);
  }
  if (rights.cannot.update(entry)) {
    throw new Trouble('You may not edit this entry.', 403);
  }
  return `${strapi.contentTypes[model].info.singularName}/${entry.documentId}`;
}

function candidates(illustration) {
  return (illustration.candidates || []).map((one) => one.id);
}

/** The part of an illustration that the panel shows. */
function view(one) {
  return {
    id: one.id,
    state: String(one.state),
    words: WORDS[one.state] || String(one.state),
    reason: String(one.reason || ''),
    alt: String(one.alt || ''),
    candidates: candidates(one),
    desk: /^https?:\/\//.test(one.desk) ? one.desk : '',
  };
}

function who({ user }) {
  return `${[user.firstname, user.lastname].filter(Boolean).join(' ') || user.username || 'An editor'} (Strapi)`;
}

/** The words that came under this name; none if there are none. */
function said(ctx, name) {
  const text = ctx.request.body?.[name];
  if (text === undefined) {
    return {};
  }
  if (typeof text !== 'string' || text.length > MOST) {
    throw new Trouble(`${name} must be a text of at most ${MOST} characters.`, 400);
  }
  return { [name]: text };
}

/** The illustration that the request names, if it is this entry's. */
async function named(ctx, settings) {
  const found = await illustrations(settings, await editable(ctx));
  const one = found.find(({ id }) => String(id) === ctx.params.illustration);
  if (!one) {
    throw new Trouble('This picture does not belong to this entry.', 404);
  }
  return one;
}

const acts = {
  async list(ctx, settings) {
    const found = await illustrations(settings, await editable(ctx));
    return { illustrations: found.map(view) };
  },
  async image(ctx, settings) {
    const found = await illustrations(settings, await editable(ctx));
    const candidate = found.flatMap(candidates).find((id) => String(id) === ctx.params.candidate);
    if (candidate === undefined) {
      throw new Trouble('This picture does not belong to this entry.', 404);
    }
    return { picture: await picture(settings, candidate) };
  },
  async approve(ctx, settings) {
    const one = await named(ctx, settings);
    const { candidate } = ctx.request.body || {};
    if (!candidates(one).includes(candidate)) {
      throw new Trouble('This picture does not belong to this entry.', 404);
    }
    return view(await decide(settings, one, 'approve', { candidate, by: who(ctx.state), ...said(ctx, 'alt') }));
  },
  async regenerate(ctx, settings) {
    const one = await named(ctx, settings);
    return view(await decide(settings, one, 'regenerate', { by: who(ctx.state), ...said(ctx, 'prompt') }));
  },
};

/** An act as Strapi wants a controller's: its problems become answers that the panel can show. */
function handler(act) {
  return async (ctx) => {
    try {
      ctx.body = await act(ctx, strapi.config.get('plugin::frontispiece'));
    } catch (problem) {
      if (!(problem instanceof Trouble)) {
        throw problem;
      }
      ctx.status = problem.status;
      ctx.body = { data: null, error: { status: problem.status, name: 'Frontispiece', message: problem.message } };
    }
  };
}

module.exports = Object.fromEntries(Object.entries(acts).map(([name, act]) => [name, handler(act)]));
