/* The panel in the item's form: the state of its picture, the candidates, Approve and Regenerate. Plain JavaScript; it
   is Directus itself that bundles it. It talks to Directus only (api.js). */
import { h, onMounted, onUnmounted, ref, resolveComponent, watch } from 'vue';
import { useApi } from '@directus/extensions-sdk';

const MOVING = ['queued', 'composing', 'rendering', 'approved', 'publishing'];
const ROW = { display: 'flex', flexWrap: 'wrap', gap: '12px', margin: '12px 0' };

// Seconds until the panel asks again: soon while something happens, seldom while it waits for a person.
function pause(illustrations) {
	if (illustrations.some((one) => MOVING.includes(one.state))) {
		return 3;
	}
	return illustrations.length ? 15 : 6;
}

const wordsOf = (error) => error.response?.data?.errors?.[0]?.message ?? error.message;

const label = (text) => h('span', { style: { display: 'block', fontWeight: 600, margin: '12px 0 4px' } }, text);

// An image that needs the editor's rights: fetched with them, so that no token stands in an address.
const Candidate = {
	props: ['address', 'label', 'chosen'],
	emits: ['choose'],
	setup(props, { emit }) {
		const api = useApi();
		const source = ref('');
		let isGone = false;
		onMounted(async () => {
			const answer = await api.get(props.address, { responseType: 'blob' }).catch(() => null);
			if (answer && !isGone) {
				source.value = URL.createObjectURL(answer.data);
			}
		});
		onUnmounted(() => {
			isGone = true;
			URL.revokeObjectURL(source.value);
		});
		const style = () => ({
			width: '200px',
			minHeight: '112px',
			borderRadius: 'var(--theme--border-radius)',
			overflow: 'hidden',
			outline: props.chosen ? '3px solid var(--theme--primary)' : '1px solid var(--theme--border-color)',
		});
		return () =>
			h(
				'button',
				{
					type: 'button',
					role: 'radio',
					'aria-checked': props.chosen,
					'aria-label': props.label,
					style: style(),
					onClick: () => emit('choose'),
				},
				source.value ? h('img', { src: source.value, alt: '', style: { display: 'block', width: '100%' } }) : '…',
			);
	},
};

const Illustration = {
	props: ['one', 'base', 'act', 'disabled'],
	setup(props) {
		const newest = () => props.one.candidates.at(-1);
		const chosen = ref(newest());
		const alt = ref(props.one.alt);
		const isBusy = ref(false);
		watch(newest, (id) => (chosen.value = id));
		watch(
			() => props.one.alt,
			(text) => (alt.value = text),
		);
		const decide = async (what, body) => {
			isBusy.value = true;
			await props.act(props.one.id, what, body);
			isBusy.value = false;
		};
		const candidate = (id, index) =>
			h(Candidate, {
				key: id,
				address: `${props.base}/candidates/${id}/image`,
				label: `Picture ${index + 1}`,
				chosen: id === chosen.value,
				onChoose: () => (chosen.value = id),
			});
		const button = (text, secondary, onClick) =>
			h(
				resolveComponent('v-button'),
				{ secondary, small: true, disabled: props.disabled || isBusy.value || !chosen.value, onClick },
				() => text,
			);
		const decision = () => [
			h('div', { role: 'radiogroup', 'aria-label': 'Pictures', style: ROW }, props.one.candidates.map(candidate)),
			h('label', [
				label('Alternative text'),
				h('textarea', {
					rows: 3,
					value: alt.value,
					class: 'frontispiece-alt',
					style: {
						width: '100%',
						padding: '8px 12px',
						color: 'inherit',
						background: 'transparent',
						border: '1px solid var(--theme--border-color)',
						borderRadius: 'var(--theme--border-radius)',
					},
					onInput: (event) => (alt.value = event.target.value),
				}),
			]),
			h('div', { style: ROW }, [
				button('Approve', false, () => decide('approve', { candidate: chosen.value, alt: alt.value })),
				button('Regenerate', true, () => decide('regenerate', {})),
			]),
		];
		return () =>
			h('div', { class: 'frontispiece-illustration', 'data-state': props.one.state }, [
				h('p', { role: 'status' }, `${props.one.words} ${props.one.reason}`.trim()),
				props.one.state === 'in_review' ? decision() : null,
				props.one.desk
					? h('a', { href: props.one.desk, target: '_blank', rel: 'noopener noreferrer' }, 'Open on the desk')
					: null,
			]);
	},
};

const Panel = {
	props: ['collection', 'primaryKey', 'disabled'],
	setup(props) {
		const api = useApi();
		const illustrations = ref(null);
		const trouble = ref('');
		const refusal = ref('');
		let timer = 0;
		let turn = 0;

		const isNew = () => [undefined, null, '', '+'].includes(props.primaryKey);
		const base = () => `/frontispiece/${[props.collection, props.primaryKey].map(encodeURIComponent).join('/')}`;

		async function look() {
			clearTimeout(timer);
			const mine = ++turn;
			let seconds = 3;
			if (!isNew() && !document.hidden) {
				try {
					const { data } = await api.get(`${base()}/illustrations`);
					if (mine !== turn) {
						return;
					}
					illustrations.value = data.data;
					trouble.value = '';
					seconds = pause(data.data);
				} catch (error) {
					if (mine !== turn) {
						return;
					}
					trouble.value = wordsOf(error);
					seconds = 30;
				}
			}
			timer = setTimeout(look, seconds * 1000);
		}

		async function act(id, what, body) {
			try {
				await api.post(`${base()}/illustrations/${id}/${what}`, body);
				refusal.value = '';
			} catch (error) {
				refusal.value = wordsOf(error);
			}
			await look();
		}

		function again() {
			illustrations.value = null;
			trouble.value = '';
			refusal.value = '';
			look();
		}

		onMounted(look);
		onUnmounted(() => {
			turn = -1;
			clearTimeout(timer);
		});
		watch(() => [props.collection, props.primaryKey], again);

		const notice = (type, text) => (text ? h(resolveComponent('v-notice'), { type }, () => text) : null);
		return () =>
			h('div', { class: 'frontispiece-panel' }, [
				notice('warning', trouble.value),
				notice('danger', refusal.value),
				isNew() ? h('p', 'Save the item first.') : null,
				illustrations.value?.length === 0 ? h('p', 'No picture has been asked for yet.') : null,
				...(illustrations.value ?? []).map((one) =>
					h(Illustration, { key: one.id, one, base: base(), act, disabled: props.disabled }),
				),
			]);
	},
};

export const interfaces = [
	{
		id: 'frontispiece',
		name: 'Frontispiece',
		icon: 'image',
		description: 'The picture that Frontispiece makes for this item',
		component: Panel,
		types: ['alias'],
		localTypes: ['presentation'],
		group: 'presentation',
		options: null,
	},
];
