/* The panel in the block editor: the state of the post's picture, its candidates, Approve and Regenerate.
   Plain JavaScript, no build step. It talks to WordPress only (includes/panel.php). */
( function ( wp ) {
	'use strict';

	const { createElement: el, Fragment, useCallback, useEffect, useState } = wp.element;
	const { Button, CheckboxControl, ExternalLink, Notice, Spinner, TextareaControl } = wp.components;
	const { useDispatch, useSelect } = wp.data;
	const { __, sprintf } = wp.i18n;
	const DocumentPanel = ( wp.editor && wp.editor.PluginDocumentSettingPanel ) || wp.editPost.PluginDocumentSettingPanel;

	const MOVING = [ 'queued', 'composing', 'rendering', 'approved', 'publishing' ];

	// Seconds until the panel asks again: soon while something happens, seldom while it waits for a person.
	function pause( illustrations ) {
		if ( illustrations.some( ( one ) => MOVING.includes( one.state ) ) ) {
			return 3;
		}
		return illustrations.length ? 15 : 6;
	}

	function useIllustrations( postId, isSaved ) {
		const [ illustrations, setIllustrations ] = useState( null );
		const [ trouble, setTrouble ] = useState( '' );
		const [ turn, setTurn ] = useState( 0 );
		const again = useCallback( () => setTurn( ( n ) => n + 1 ), [] );

		useEffect( () => {
			let timer = 0;
			let gone = false;
			const later = ( seconds ) => {
				timer = gone ? 0 : setTimeout( again, seconds * 1000 );
			};
			if ( ! isSaved || document.hidden ) {
				later( 3 );
			} else {
				wp.apiFetch( { path: `/frontispiece/v1/posts/${ postId }/illustrations` } )
					.then( ( answer ) => {
						if ( ! gone ) {
							setIllustrations( answer.illustrations );
							setTrouble( '' );
						}
						later( pause( answer.illustrations ) );
					} )
					.catch( ( error ) => {
						if ( ! gone ) {
							setTrouble( error.message );
						}
						later( 30 );
					} );
			}
			return () => {
				gone = true;
				clearTimeout( timer );
			};
		}, [ postId, isSaved, turn, again ] );

		return { illustrations, trouble, again };
	}

	// An image that needs the editor's rights: fetched with them, so that no nonce stands in an address.
	function Candidate( { postId, id, label, isChosen, onChoose } ) {
		const [ source, setSource ] = useState( '' );
		useEffect( () => {
			let url = '';
			let gone = false;
			wp.apiFetch( { path: `/frontispiece/v1/posts/${ postId }/candidates/${ id }/image`, parse: false } )
				.then( ( answer ) => answer.blob() )
				.then( ( blob ) => {
					if ( ! gone ) {
						url = URL.createObjectURL( blob );
						setSource( url );
					}
				} )
				.catch( () => {} ); // The label stays; the list above says what is wrong.
			return () => {
				gone = true;
				URL.revokeObjectURL( url );
			};
		}, [ postId, id ] );
		return el(
			'button',
			{ type: 'button', role: 'radio', 'aria-checked': isChosen, className: 'frontispiece-candidate', onClick: onChoose, 'aria-label': label },
			source ? el( 'img', { src: source, alt: '' } ) : el( Spinner )
		);
	}

	function Illustration( { postId, one, act } ) {
		const [ chosen, setChosen ] = useState( one.candidates[ one.candidates.length - 1 ] );
		const [ alt, setAlt ] = useState( one.alt );
		const [ isBusy, setBusy ] = useState( false );
		const newest = one.candidates[ one.candidates.length - 1 ];
		useEffect( () => setChosen( newest ), [ newest ] );
		useEffect( () => setAlt( one.alt ), [ one.alt ] );

		const decide = ( what, data ) => {
			setBusy( true );
			act( one.id, what, data ).finally( () => setBusy( false ) );
		};
		const isOpen = one.state === 'in_review';
		return el(
			'div',
			{ className: 'frontispiece-illustration', 'data-state': one.state },
			el( 'p', { role: 'status' }, MOVING.includes( one.state ) && el( Spinner ), one.words, one.reason && ' ' + one.reason ),
			isOpen &&
				el(
					'div',
					{ role: 'radiogroup', 'aria-label': __( 'Pictures', 'frontispiece' ), className: 'frontispiece-candidates' + ( one.candidates.length === 1 ? ' is-single' : '' ) },
					one.candidates.map( ( id, index ) =>
						el( Candidate, {
							key: id,
							postId,
							id,
							/* translators: %d: which picture, counted from 1 */
							label: sprintf( __( 'Picture %d', 'frontispiece' ), index + 1 ),
							isChosen: id === chosen,
							onChoose: () => setChosen( id ),
						} )
					)
				),
			isOpen && el( TextareaControl, { label: __( 'Alternative text', 'frontispiece' ), value: alt, onChange: setAlt, rows: 3, __nextHasNoMarginBottom: true } ),
			isOpen &&
				el(
					'div',
					{ className: 'frontispiece-acts' },
					el( Button, { variant: 'primary', disabled: isBusy || ! chosen, onClick: () => decide( 'approve', { candidate: chosen, alt } ) }, __( 'Approve', 'frontispiece' ) ),
					el( Button, { variant: 'secondary', disabled: isBusy, onClick: () => decide( 'regenerate', {} ) }, __( 'Regenerate', 'frontispiece' ) )
				),
			one.desk && el( 'p', null, el( ExternalLink, { href: one.desk }, __( 'Open on the desk', 'frontispiece' ) ) )
		);
	}

	// The featured image changed behind the editor's back: show it, without touching what is being written.
	function useFreshFeaturedImage( isPublished, type, postId ) {
		const { receiveEntityRecords } = useDispatch( 'core' );
		const base = useSelect( ( select ) => ( select( 'core' ).getPostType( type ) || {} ).rest_base, [ type ] );
		useEffect( () => {
			if ( isPublished && base ) {
				wp.apiFetch( { path: `/wp/v2/${ base }/${ postId }?context=edit` } )
					.then( ( record ) => receiveEntityRecords( 'postType', type, record ) )
					.catch( () => {} ); // Only the preview is old then; a reload shows it.
			}
		}, [ isPublished, base, type, postId ] ); // eslint-disable-line react-hooks/exhaustive-deps
	}

	function Panel() {
		const { postId, type, isSaved, field } = useSelect( ( select ) => {
			const editor = select( 'core/editor' );
			return {
				postId: editor.getCurrentPostId(),
				type: editor.getCurrentPostType(),
				isSaved: ! [ undefined, 'auto-draft' ].includes( editor.getCurrentPostAttribute( 'status' ) ),
				field: editor.getEditedPostAttribute( 'frontispiece' ),
			};
		}, [] );
		const { editPost } = useDispatch( 'core/editor' );
		const { illustrations, trouble, again } = useIllustrations( postId, isSaved );
		const [ refusal, setRefusal ] = useState( '' );
		useFreshFeaturedImage( ( illustrations || [] ).some( ( one ) => one.state === 'published' ), type, postId );

		const act = ( id, what, data ) =>
			wp.apiFetch( { path: `/frontispiece/v1/posts/${ postId }/illustrations/${ id }/${ what }`, method: 'POST', data } )
				.then( () => setRefusal( '' ) )
				.catch( ( error ) => setRefusal( error.message ) )
				.finally( again );
		const isOut = !! ( field && field.opted_out );
		return el(
			Fragment,
			null,
			trouble && el( Notice, { status: 'warning', isDismissible: false }, trouble ),
			refusal && el( Notice, { status: 'error', onRemove: () => setRefusal( '' ) }, refusal ),
			! isSaved && el( 'p', null, __( 'Save the post first.', 'frontispiece' ) ),
			isSaved && illustrations && ! illustrations.length && ! isOut && el( 'p', null, __( 'No picture has been asked for yet.', 'frontispiece' ) ),
			( illustrations || [] ).map( ( one ) => el( Illustration, { key: one.id, postId, one, act } ) ),
			field && el( CheckboxControl, { label: __( 'No automatic image', 'frontispiece' ), checked: isOut, onChange: ( value ) => editPost( { frontispiece: { opted_out: value } } ), __nextHasNoMarginBottom: true } )
		);
	}

	wp.plugins.registerPlugin( 'frontispiece', {
		render: () => el( DocumentPanel, { name: 'frontispiece', title: 'Frontispiece', className: 'frontispiece-panel' }, el( Panel ) ),
	} );
} )( window.wp );
