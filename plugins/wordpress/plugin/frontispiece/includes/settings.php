<?php
/**
 * The settings: one option, read through setting().
 *
 * @package Frontispiece
 */

namespace Frontispiece;

defined( 'ABSPATH' ) || exit;

const DEFAULTS = array(
	'service'    => '',
	'site'       => '',
	'secret'     => '',
	'token'      => '',
	'user'       => 'frontispiece',
	'post_types' => array( 'post' ),
);

/** One setting, or its default. */
function setting( $name ) {
	$stored = get_option( 'frontispiece', array() );
	return is_array( $stored ) && isset( $stored[ $name ] ) ? $stored[ $name ] : DEFAULTS[ $name ];
}

/** Whether deliveries can be sent at all. */
function is_configured() {
	return setting( 'service' ) && setting( 'site' ) && setting( 'secret' );
}

/** Post types that can have a featured image and whose REST routes Frontispiece knows how to find. */
function possible_post_types() {
	$types = get_post_types( array( 'show_in_rest' => true, 'public' => true ), 'objects' );
	return array_filter(
		$types,
		static function ( $type ) {
			return post_type_supports( $type->name, 'thumbnail' ) && 'wp/v2' === ( $type->rest_namespace ?: 'wp/v2' );
		}
	);
}

/** How the service names an entry: REST base and id, such as "posts/12". */
function ref( $post ) {
	return rest_base( $post->post_type ) . '/' . $post->ID;
}

/** The REST base of a post type, such as "posts". */
function rest_base( $post_type ) {
	$type = get_post_type_object( $post_type );
	return $type && $type->rest_base ? $type->rest_base : $post_type;
}

/** Whether posts of this type are told to the service. */
function is_ours( $post_type ) {
	return in_array( $post_type, (array) setting( 'post_types' ), true );
}
