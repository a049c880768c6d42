// The panel in the content manager's edit view: the state of the entry's picture, its candidates, Approve and
// Regenerate. It talks to Strapi only (server/panel.js).

import { createElement as el, Fragment, useCallback, useEffect, useRef, useState } from 'react';
import { adminApi, useFetchClient, useForm, useQueryParams } from '@strapi/strapi/admin';
import { Alert, Box, Button, Field, Flex, Link, Loader, Textarea, Typography } from '@strapi/design-system';
import { useDispatch } from 'react-redux';

const MOVING = ['queued', 'composing', 'rendering', 'approved', 'publishing'];
const STALE =
  'The picture is on this entry now, but this page shows the entry as it was before. Keep your changes elsewhere and ' +
  'reload the page: saving it as it is would take the picture off again.';

// Seconds until the panel asks again: soon while something happens, seldom while it waits for a person.
function pause(illustrations) {
  if (illustrations.some((one) => MOVING.includes(one.state))) {
    return 3;
  }
  return illustrations.length ? 15 : 6;
}

function useIllustrations(place, query) {
  const { get } = useFetchClient();
  const [illustrations, setIllustrations] = useState(null);
  const [trouble, setTrouble] = useState('');
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((n) => n + 1), []);

  useEffect(() => {
    let timer = 0;
    let gone = false;
    const later = (seconds) => {
      timer = gone ? 0 : setTimeout(again, seconds * 1000);
    };
    if (document.hidden) {
      later(3);
    } else {
      get(`${place}/illustrations${query}`)
        .then(({ data }) => {
          if (!gone) {
            setIllustrations(data.illustrations);
            setTrouble('');
          }
          later(pause(data.illustrations));
        })
        .catch((error) => {
          if (!gone) {
            setTrouble(error.message);
          }
          later(30);
        });
    }
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [get, place, query, turn, again]);

  return { illustrations, trouble, again };
}

// A picture that needs the editor's rights: fetched with them, as data.
function Candidate({ address, label, isChosen, onChoose }) {
  const { get } = useFetchClient();
  const [source, setSource] = useState('');
  useEffect(() => {
    let gone = false;
    get(address)
      .then(({ data }) => !gone && setSource(data.picture))
      .catch(() => {}); // The label stays; the panel's own request says what is wrong.
    return () => {
      gone = true;
    };
  }, [get, address]);
  const style = {
    width: '100%',
    padding: 2,
    background: 'none',
    cursor: 'pointer',
    border: `2px solid ${isChosen ? 'currentColor' : 'transparent'}`,
    color: '#4945ff',
  };
  return el(
    'button',
    { type: 'button', role: 'radio', 'aria-checked': isChosen, 'aria-label': label, onClick: onChoose, style },
    source ? el('img', { src: source, alt: '', style: { display: 'block', width: '100%' } }) : el(Loader, { small: true })
  );
}

function Illustration({ one, place, query, act }) {
  const newest = one.candidates[one.candidates.length - 1];
  const [chosen, setChosen] = useState(newest);
  const [alt, setAlt] = useState(one.alt);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => setChosen(newest), [newest]);
  useEffect(() => setAlt(one.alt), [one.alt]);

  const decide = (what, data) => {
    setBusy(true);
    act(one.id, what, data).finally(() => setBusy(false));
  };
  const isOpen = one.state === 'in_review';
  const words = [one.words, one.reason].filter(Boolean).join(' ');
  return el(
    Flex,
    { direction: 'column', alignItems: 'stretch', gap: 3, 'data-state': one.state },
    el(Typography, { role: 'status', variant: 'omega' }, words),
    isOpen &&
      el(
        'div',
        { role: 'radiogroup', 'aria-label': 'Pictures' },
        one.candidates.map((id, index) =>
          el(Candidate, {
            key: id,
            address: `${place}/candidates/${id}/image${query}`,
            label: `Picture ${index + 1}`,
            isChosen: id === chosen,
            onChoose: () => setChosen(id),
          })
        )
      ),
    isOpen &&
      el(
        Field.Root,
        { name: 'frontispiece-alt' },
        el(Field.Label, null, 'Alternative text'),
        el(Textarea, { value: alt, onChange: (event) => setAlt(event.target.value) })
      ),
    isOpen &&
      el(
        Flex,
        { gap: 2 },
        el(Button, { disabled: isBusy || !chosen, onClick: () => decide('approve', { candidate: chosen, alt }) }, 'Approve'),
        el(Button, { variant: 'secondary', disabled: isBusy, onClick: () => decide('regenerate', {}) }, 'Regenerate')
      ),
    one.desk && el(Link, { href: one.desk, isExternal: true }, 'Open on the desk')
  );
}

// Our picture came while the page was open: shows it where nothing unsaved is in the way, else says so.
function useArrival(illustrations, model, documentId) {
  const dispatch = useDispatch();
  const isModified = useForm('Frontispiece', (form) => form.modified);
  const [isStale, setStale] = useState(false);
  const before = useRef(null);
  const now = illustrations && illustrations.filter((one) => one.state === 'published').length;
  useEffect(() => {
    const hasCome = before.current !== null && now > before.current;
    before.current = now;
    if (hasCome && isModified) {
      setStale(true);
    } else if (hasCome) {
      dispatch(adminApi.util.invalidateTags([{ type: 'Document', id: `${model}_${documentId}` }]));
    }
  }, [now]); // eslint-disable-line react-hooks/exhaustive-deps
  return isStale;
}

function Panel({ model, documentId }) {
  const { post } = useFetchClient();
  const [{ query: asked }] = useQueryParams();
  const locale = asked?.plugins?.i18n?.locale;
  const query = locale ? `?locale=${encodeURIComponent(locale)}` : '';
  const place = `/frontispiece/${model}/${documentId}`;
  const { illustrations, trouble, again } = useIllustrations(place, query);
  const [refusal, setRefusal] = useState('');
  const isStale = useArrival(illustrations, model, documentId);

  const act = (id, what, data) =>
    post(`${place}/illustrations/${id}/${what}${query}`, data)
      .then(() => setRefusal(''))
      .catch((error) => setRefusal(error.message))
      .finally(again);
  return el(
    Fragment,
    null,
    trouble && el(Alert, { variant: 'warning', closeLabel: 'Close', title: '' }, trouble),
    refusal && el(Alert, { variant: 'danger', closeLabel: 'Close', title: '', onClose: () => setRefusal('') }, refusal),
    isStale && el(Alert, { variant: 'warning', closeLabel: 'Close', title: '' }, STALE),
    illustrations && !illustrations.length && el(Typography, null, 'No picture has been asked for yet.'),
    (illustrations || []).map((one) => el(Illustration, { key: one.id, one, place, query, act }))
  );
}

function FrontispiecePanel({ model, documentId, collectionType }) {
  if (collectionType !== 'collection-types' || !model.startsWith('api::')) {
    return null;
  }
  const content = documentId
    ? el(Box, { width: '100%', className: 'frontispiece-panel' }, el(Panel, { key: documentId, model, documentId }))
    : el(Typography, null, 'Save the entry first.');
  return { title: 'Frontispiece', content };
}

export default {
  register(app) {
    app.registerPlugin({ id: 'frontispiece', name: 'Frontispiece' });
  },
  bootstrap(app) {
    app.getPlugin('content-manager').apis.addEditViewSidePanel([FrontispiecePanel]);
  },
};
