/* The panel's routes. The browser talks to Directus with the editor's own rights; Directus talks to Frontispiece with
   the token, which stays here. FRONTISPIECE_URL, FRONTISPIECE_SITE and FRONTISPIECE_TOKEN come from its environment. */

const PICTURES = ['image/webp', 'image/jpeg', 'image/png', 'image/avif'];

const WORDS = {
	queued: 'The picture is waiting for its turn.',
	composing: 'The picture is being described.',
	rendering: 'The picture is being made.',
	in_review: 'The picture is ready for your decision.',
	approved: 'Approved; the picture is on its way to this item.',
	publishing: 'The picture is being put on this item.',
	published: 'The picture is on this item.',
	reverted: 'The picture was taken off this item again.',
	rejected: 'The picture was rejected.',
	held: 'The picture waits for an administrator.',
	failed: 'The picture could not be made.',
	skipped: 'No picture is made for this item.',
};

class Refusal extends Error {
	constructor(status, words) {
		super(words);
		this.status = status;
	}
}

const notHere = () => new Refusal(404, 'This picture does not belong to this item.');

function handler(router, { services, env, logger }) {
	const site = String(env.FRONTISPIECE_SITE ?? '');
	const ask = asking(String(env.FRONTISPIECE_URL ?? '').replace(/\/+$/, ''), String(env.FRONTISPIECE_TOKEN ?? ''));

	/** Whoever may change this very item may see and decide its picture. */
	async function mustBeEditor({ accountability, schema, params }) {
		const permissions = new services.PermissionsService({ accountability, schema });
		const { update } = await permissions.getItemPermissions(params.collection, params.key);
		if (!update.access) {
			throw new Refusal(403, 'You may not change this item.');
		}
	}

	/** What the service knows of this item, and of no other: its answer is checked, not trusted. */
	async function illustrations({ params }) {
		const ref = `${params.collection}/${params.key}`;
		const answer = await ask('GET', `/illustrations?${new URLSearchParams({ site, ref })}`);
		const told = await answer.json().catch(() => ({}));
		const all = Array.isArray(told.illustrations) ? told.illustrations : [];
		return all.filter((one) => one.site === site && one.ref === ref && one.id && one.state);
	}

	async function illustration(request) {
		const found = (await illustrations(request)).find((one) => String(one.id) === request.params.illustration);
		if (!found) {
			throw notHere();
		}
		return found;
	}

	async function who({ accountability, schema }) {
		const users = new services.UsersService({ schema });
		const user = await users.readOne(accountability.user, { fields: ['first_name', 'last_name'] });
		return `${[user.first_name, user.last_name].filter(Boolean).join(' ') || 'Somebody'} (Directus)`;
	}

	async function decided(one, act, decision) {
		const answer = await ask('POST', `/illustrations/${Number(one.id)}/${act}`, decision);
		return view({ ...one, ...(await answer.json().catch(() => ({}))) });
	}

	const route = (method, path, act) =>
		router[method](`/:collection/:key${path}`, async (request, response) => {
			try {
				await mustBeEditor(request);
				await act(request, response);
			} catch (problem) {
				if (!problem.status) {
					logger.error(problem);
				}
				const words = problem.status ? problem.message : 'Something went wrong; see the log of Directus.';
				response.status(problem.status ?? 500).json({ errors: [{ message: words }] });
			}
		});

	route('get', '/illustrations', async (request, response) => {
		response.json({ data: (await illustrations(request)).map(view) });
	});

	route('get', '/candidates/:candidate/image', async (request, response) => {
		const mine = (await illustrations(request)).flatMap(candidates);
		const id = Number(request.params.candidate);
		if (!mine.includes(id)) {
			throw notHere();
		}
		const answer = await ask('GET', `/candidates/${id}/image?width=480`);
		const kind = (answer.headers.get('content-type') ?? '').split(';')[0];
		if (!PICTURES.includes(kind)) {
			throw new Refusal(502, 'Frontispiece sent something that is not a picture.');
		}
		const picture = Buffer.from(await answer.arrayBuffer());
		response.set({ 'Content-Type': kind, 'Cache-Control': 'private, max-age=3600', 'X-Content-Type-Options': 'nosniff' });
		response.end(picture);
	});

	route('post', '/illustrations/:illustration/approve', async (request, response) => {
		const one = await illustration(request);
		const { candidate, alt } = request.body ?? {};
		if (!candidates(one).includes(candidate)) {
			throw notHere();
		}
		const words = typeof alt === 'string' ? { alt: alt.slice(0, 5000) } : {};
		response.json({ data: await decided(one, 'approve', { candidate, ...words, by: await who(request) }) });
	});

	route('post', '/illustrations/:illustration/regenerate', async (request, response) => {
		const one = await illustration(request);
		response.json({ data: await decided(one, 'regenerate', { by: await who(request) }) });
	});
}

/** Asks the service's API, and nobody else: redirects are not followed, they would carry the token along. */
function asking(service, token) {
	return async (method, path, body) => {
		if (!service || !token) {
			throw new Refusal(502, 'FRONTISPIECE_URL, FRONTISPIECE_SITE and FRONTISPIECE_TOKEN are to be set for Directus.');
		}
		const headers = { Authorization: `Bearer ${token}`, Accept: 'application/json', 'Content-Type': 'application/json' };
		const request = { method, headers, redirect: 'manual', signal: AbortSignal.timeout(15_000) };
		const answer = await fetch(`${service}/api/v1${path}`, { ...request, body: body && JSON.stringify(body) }).catch(
			(error) => {
				throw new Refusal(502, `Frontispiece could not be reached: ${error.cause?.code ?? error.message}`);
			},
		);
		if (!answer.ok) {
			throw await refusal(answer);
		}
		return answer;
	};
}

/** The service's answer as an error for the editor; a wrong token is the administrator's business. */
async function refusal(answer) {
	if (answer.status === 401 || answer.status === 403) {
		return new Refusal(502, 'Frontispiece does not accept the FRONTISPIECE_TOKEN of Directus.');
	}
	const { error } = await answer.json().catch(() => ({}));
	const words = typeof error === 'string' ? error : `Frontispiece answered ${answer.status}.`;
	return new Refusal([400, 404, 409].includes(answer.status) ? answer.status : 502, words);
}

function candidates(one) {
	return (Array.isArray(one.candidates) ? one.candidates : []).map((candidate) => Number(candidate.id));
}

/** The part of an illustration that the panel shows. */
function view(one) {
	return {
		id: Number(one.id),
		state: one.state,
		words: WORDS[one.state] ?? one.state,
		reason: String(one.reason ?? ''),
		alt: String(one.alt ?? ''),
		candidates: candidates(one),
		desk: /^https?:\/\//.test(one.desk) ? one.desk : '',
	};
}

export default {
	hooks: [],
	operations: [],
	endpoints: [{ name: 'frontispiece', config: { id: 'frontispiece', handler } }],
};
