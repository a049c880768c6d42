'use strict';

// Asks the service's API, and nobody else: a redirect is not followed, it would carry the token along.

const SECONDS = 15;
const PICTURES = ['image/webp', 'image/jpeg', 'image/png', 'image/avif'];

/** Something went wrong, in words for an editor; `status` is what the browser is answered. */
class Trouble extends Error {
  constructor(words, status = 502) {
    super(words);
    this.status = status;
  }
}

async function ask(settings, method, path, body) {
  const headers = { Authorization: `Bearer ${settings.token}`, Accept: 'application/json' };
  const request = { method, headers, redirect: 'manual', signal: AbortSignal.timeout(SECONDS * 1000) };
  if (body) {
    headers['Content-Type'] = 'application/json';
    request.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(`${settings.service.replace(/\/+$/, '')}/api/v1${path}`, request);
  } catch (problem) {
    throw new Trouble(`The Frontispiece service could not be reached: ${problem.cause?.message || problem.message}`);
  }
  if (!answer.ok) {
    throw await trouble(answer);
  }
  return answer;
}

/** A wrong token is the administrator's business, not the editor's. */
async function trouble(answer) {
  if (answer.status === 401 || answer.status === 403) {
    return new Trouble('The Frontispiece service does not accept the token in config/plugins.');
  }
  const told = await read(answer).catch(() => ({}));
  const words = typeof told.error === 'string' ? told.error : `The Frontispiece service answered ${answer.status}.`;
  return new Trouble(words, [400, 404, 409].includes(answer.status) ? answer.status : 502);
}

async function read(answer) {
  try {
    return (await answer.json()) || {};
  } catch {
    throw new Trouble('The Frontispiece service answered something else than JSON: is its address in config/plugins right?');
  }
}

/** What the service knows of this entry, and of no other: its answer is checked, not trusted. */
async function illustrations(settings, ref) {
  const query = new URLSearchParams({ site: settings.site, ref });
  const told = await read(await ask(settings, 'GET', `/illustrations?${query}`));
  const all = Array.isArray(told.illustrations) ? told.illustrations : [];
  return all.filter((one) => one.site === settings.site && one.ref === ref && Number.isInteger(one.id));
}

async function decide(settings, illustration, act, decision) {
  const answer = await ask(settings, 'POST', `/illustrations/${illustration.id}/${act}`, decision);
  return { ...illustration, ...(await read(answer)) };
}

/** A candidate as a data URL, 480 pixels wide. */
async function picture(settings, candidate) {
  const answer = await ask(settings, 'GET', `/candidates/${candidate}/image?width=480`);
  const type = (answer.headers.get('content-type') || '').split(';')[0];
  if (!PICTURES.includes(type)) {
    throw new Trouble('The Frontispiece service sent something that is not a picture.');
  }
  return `data:${type};base64,${Buffer.from(await answer.arrayBuffer()).toString('base64')}`;
}

module.exports = { Trouble, decide, illustrations, picture };
