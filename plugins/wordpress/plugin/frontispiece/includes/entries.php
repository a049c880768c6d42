<?php
/**
 * What the REST answers say about an entry beyond core: its language, the editor's wish for no picture, and on an
 * attachment of ours which image it took the place of.
 *
 * @package Frontispiece
 */

namespace Frontispiece;

defined( 'ABSPATH' ) || exit;

const OPTED_OUT = '_frontispiece_opted_out';

add_action( 'rest_api_init', __NAMESPACE__ . '\register_entry_field' );
add_action( 'init', __NAMESPACE__ . '\register_attachment_meta' );

/** The field `frontispiece` of every told post type; unlike meta it works for types without custom fields. */
function register_entry_field() {
	foreach ( (array) setting( 'post_types' ) as $type ) {
		register_rest_field(
			$type,
			'frontispiece',
			array(
				'get_callback'    => __NAMESPACE__ . '\entry_field',
				'update_callback' => __NAMESPACE__ . '\save_entry_field',
				'schema'          => array(
					'type'       => 'object',
					'context'    => array( 'edit' ),
					'properties' => array(
						'opted_out' => array( 'type' => 'boolean', 'context' => array( 'edit' ) ),
						'locale'    => array( 'type' => 'string', 'context' => array( 'edit' ), 'readonly' => true ),
					),
				),
			)
		);
	}
}

function entry_field( $entry ) {
	$post = get_post( $entry['id'] );
	return array( 'opted_out' => (bool) get_post_meta( $post->ID, OPTED_OUT, true ), 'locale' => locale_of( $post ) );
}

/** The route has checked edit_post already. */
function save_entry_field( $value, $post ) {
	$wish = ! empty( $value['opted_out'] );
	if ( (bool) get_post_meta( $post->ID, OPTED_OUT, true ) === $wish ) {
		return;
	}
	$wish ? update_post_meta( $post->ID, OPTED_OUT, 1 ) : delete_post_meta( $post->ID, OPTED_OUT );
	touched( $post->ID, true );
}

/** The entry's language as BCP 47, such as de-AT; asks Polylang and WPML where they are there. */
function locale_of( $post ) {
	$locale = get_locale();
	if ( function_exists( 'pll_get_post_language' ) ) {
		$locale = pll_get_post_language( $post->ID, 'locale' ) ?: $locale;
	}
	$wpml   = apply_filters( 'wpml_post_language_details', null, $post->ID );
	$locale = is_array( $wpml ) && ! empty( $wpml['locale'] ) ? $wpml['locale'] : $locale;
	return (string) apply_filters( 'frontispiece_locale', str_replace( '_', '-', $locale ), $post );
}

function register_attachment_meta() {
	register_post_meta(
		'attachment',
		'_frontispiece_replaces',
		array(
			'type'          => 'integer',
			'single'        => true,
			'default'       => 0,
			'show_in_rest'  => true,
			'auth_callback' => static function ( $allowed, $key, $id ) {
				return current_user_can( 'edit_post', $id );
			},
		)
	);
}
