<?php
/**
 * Which saves are told to the service, and what the delivery says.
 *
 * @package Frontispiece
 */

namespace Frontispiece;

defined( 'ABSPATH' ) || exit;

// The last hook of a save: terms, meta and featured image are stored by now, which transition_post_status precedes.
add_action( 'wp_after_insert_post', __NAMESPACE__ . '\on_saved', 10, 4 );
add_action( 'before_delete_post', __NAMESPACE__ . '\on_deleted', 10, 2 );
add_action( 'set_object_terms', __NAMESPACE__ . '\on_terms', 10, 6 );

/** A post was saved by anybody, in any way. */
function on_saved( $id, $post, $update, $before ) {
	if ( ! is_configured() || ! is_ours( $post->post_type ) || 'auto-draft' === $post->post_status || is_own_write() ) {
		return;
	}
	$old   = $before ? $before->post_status : 'new';
	$event = event_of( $post->post_status, $old );
	$moved = 'updated' !== $event || ! $before || matters( $post, $before );
	if ( defined( 'DOING_AUTOSAVE' ) && DOING_AUTOSAVE ) {
		if ( $moved ) {
			update_post_meta( $id, '_frontispiece_autosaved', $event );
		}
		return;
	}
	$autosaved = get_post_meta( $id, '_frontispiece_autosaved', true );
	if ( $autosaved ) {
		delete_post_meta( $id, '_frontispiece_autosaved' );
		$event = 'updated' === $event ? $autosaved : $event;
	}
	if ( ! $moved && ! $autosaved ) {
		return;
	}
	if ( apply_filters( 'frontispiece_wanted', true, $post, $event ) ) {
		put( body_of( $event, $post, $old ) );
	}
}

/** A post is about to go for good; from the bin it went before. */
function on_deleted( $id, $post ) {
	if ( is_configured() && is_ours( $post->post_type ) && ! in_array( $post->post_status, array( 'trash', 'auto-draft' ), true ) ) {
		put( body_of( 'deleted', $post, $post->post_status ) );
	}
}

/** What happened, seen from the service: created, published, updated or deleted. */
function event_of( $status, $old ) {
	if ( 'trash' === $status ) {
		return 'deleted';
	}
	if ( 'publish' === $status && 'publish' !== $old ) {
		return 'published';
	}
	return in_array( $old, array( 'new', 'auto-draft', 'trash' ), true ) ? 'created' : 'updated';
}

/** Whether a save changed anything that a picture could depend on; the featured image alone does not count. */
function matters( $post, $before ) {
	foreach ( array( 'post_title', 'post_content', 'post_excerpt', 'post_status', 'post_name', 'post_password' ) as $field ) {
		if ( $post->$field !== $before->$field ) {
			return true;
		}
	}
	return touched( $post->ID );
}

/** Whether tags, categories or the editor's choice changed in this request; with true, notes that they did. */
function touched( $id, $now = false ) {
	static $ids = array();
	if ( $now ) {
		$ids[ $id ] = true;
	}
	return isset( $ids[ $id ] );
}

/** Tags or categories were saved, possibly the same as before. */
function on_terms( $id, $terms, $new, $taxonomy, $append, $old ) {
	if ( array_diff( $new, $old ) || ( ! $append && array_diff( $old, $new ) ) ) {
		touched( $id, true );
	}
}

/** Whether this request is Frontispiece writing back. */
function is_own_write() {
	$user = wp_get_current_user();
	return $user->exists() && $user->user_login === setting( 'user' );
}

/** The delivery: names and states only, the service asks for the rest with its own password. */
function body_of( $event, $post, $old ) {
	return array(
		'event'           => 'entry.' . $event,
		'site'            => setting( 'site' ),
		'rest_root'       => esc_url_raw( rest_url() ),
		'rest_base'       => rest_base( $post->post_type ),
		'id'              => (int) $post->ID,
		'status'          => $post->post_status,
		'previous_status' => $old,
		'locale'          => locale_of( $post ),
		'title'           => $post->post_title,
		'link'            => (string) get_permalink( $post ),
		'modified_gmt'    => modified_gmt( $post ),
		'featured_media'  => (int) get_post_thumbnail_id( $post ),
	);
}

/** When the post was last saved; a draft that was saved once has no GMT date in the table, only a local one. */
function modified_gmt( $post ) {
	$date = get_post_datetime( $post, 'modified', 'local' );
	return $date ? $date->setTimezone( new \DateTimeZone( 'UTC' ) )->format( 'Y-m-d\TH:i:s\Z' ) : '';
}

/** A delivery that only asks whether it arrives. */
function test_body() {
	return array( 'event' => 'test.ping', 'site' => setting( 'site' ), 'rest_root' => esc_url_raw( rest_url() ) );
}
