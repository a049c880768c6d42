<?php
/**
 * The editor panel's routes. The browser talks to WordPress with the editor's own rights; WordPress talks to the
 * service with the token, which stays here.
 *
 * @package Frontispiece
 */

namespace Frontispiece;

defined( 'ABSPATH' ) || exit;

const PICTURE_TYPES = array( 'image/webp', 'image/jpeg', 'image/png', 'image/avif' );

add_action( 'rest_api_init', __NAMESPACE__ . '\register_panel_routes' );
add_action( 'enqueue_block_editor_assets', __NAMESPACE__ . '\enqueue_panel' );
add_filter( 'rest_pre_serve_request', __NAMESPACE__ . '\serve_picture', 10, 2 );

function register_panel_routes() {
	$post  = '/posts/(?P<id>\d+)';
	$one   = $post . '/illustrations/(?P<illustration>\d+)';
	$texts = array( 'type' => 'string', 'sanitize_callback' => 'sanitize_textarea_field', 'maxLength' => 5000 );
	panel_route( 'GET', "$post/illustrations", 'list_illustrations' );
	panel_route( 'GET', "$post/candidates/(?P<candidate>\d+)/image", 'candidate_picture' );
	panel_route( 'POST', "$one/regenerate", 'regenerate', array( 'prompt' => $texts ) );
	panel_route(
		'POST',
		"$one/approve",
		'approve',
		array(
			'candidate' => array( 'type' => 'integer', 'required' => true ),
			'alt'       => $texts,
			'caption'   => $texts,
		)
	);
}

function panel_route( $method, $route, $callback, $args = array() ) {
	$options = array(
		'methods'             => $method,
		'callback'            => __NAMESPACE__ . '\\' . $callback,
		'permission_callback' => __NAMESPACE__ . '\may_edit',
		'args'                => $args,
	);
	register_rest_route( 'frontispiece/v1', $route, $options );
}

/** Whoever may edit this very post may see and decide its picture. */
function may_edit( $request ) {
	$post = get_post( (int) $request['id'] );
	return $post && is_ours( $post->post_type ) && current_user_can( 'edit_post', $post->ID );
}

function list_illustrations( $request ) {
	$found = illustrations_of( get_post( (int) $request['id'] ) );
	return is_wp_error( $found ) ? $found : rest_ensure_response( array( 'illustrations' => array_map( __NAMESPACE__ . '\view', $found ) ) );
}

function approve( $request ) {
	$illustration = illustration_of( $request );
	if ( is_wp_error( $illustration ) ) {
		return $illustration;
	}
	if ( ! in_array( (int) $request['candidate'], candidate_ids( $illustration ), true ) ) {
		return not_here();
	}
	$decision = array( 'candidate' => (int) $request['candidate'], 'by' => who() );
	foreach ( array( 'alt', 'caption' ) as $text ) {
		if ( null !== $request[ $text ] ) {
			$decision[ $text ] = $request[ $text ];
		}
	}
	return decided( $illustration, 'approve', $decision );
}

function regenerate( $request ) {
	$illustration = illustration_of( $request );
	if ( is_wp_error( $illustration ) ) {
		return $illustration;
	}
	$wish = (string) $request['prompt'] === '' ? array() : array( 'prompt' => $request['prompt'] );
	return decided( $illustration, 'regenerate', $wish + array( 'by' => who() ) );
}

function candidate_picture( $request ) {
	$found = illustrations_of( get_post( (int) $request['id'] ) );
	if ( is_wp_error( $found ) ) {
		return $found;
	}
	$id  = (int) $request['candidate'];
	$ids = array_merge( array(), ...array_map( __NAMESPACE__ . '\candidate_ids', $found ) );
	if ( ! in_array( $id, $ids, true ) ) {
		return not_here();
	}
	$answer  = ask( 'GET', "/candidates/$id/image?width=480" );
	$problem = problem_of( $answer );
	$type    = strtok( (string) wp_remote_retrieve_header( $answer, 'content-type' ), ';' );
	if ( $problem ) {
		return $problem;
	}
	if ( ! in_array( $type, PICTURE_TYPES, true ) ) {
		return new \WP_Error( 'frontispiece_no_picture', __( 'The service sent something that is not a picture.', 'frontispiece' ), array( 'status' => 502 ) );
	}
	$headers = array( 'Content-Type' => $type, 'Cache-Control' => 'private, max-age=3600' );
	return new Picture_Response( wp_remote_retrieve_body( $answer ), 200, $headers );
}

/** A REST answer whose data are the bytes of a picture. */
class Picture_Response extends \WP_REST_Response {}

/** Sends a picture as it is, where WordPress would make JSON of it. */
function serve_picture( $served, $response ) {
	if ( $response instanceof Picture_Response ) {
		echo $response->get_data(); // phpcs:ignore WordPress.Security.EscapeOutput -- bytes of an image type.
		return true;
	}
	return $served;
}

/** What the service knows of this post, and of no other: its answer is checked, not trusted. */
function illustrations_of( $post ) {
	$query   = http_build_query( array( 'site' => setting( 'site' ), 'ref' => ref( $post ) ), '', '&' );
	$answer  = ask( 'GET', '/illustrations?' . $query );
	$problem = problem_of( $answer );
	if ( $problem ) {
		return $problem;
	}
	$data = json_decode( wp_remote_retrieve_body( $answer ), true );
	$all  = isset( $data['illustrations'] ) && is_array( $data['illustrations'] ) ? $data['illustrations'] : array();
	$ours = static function ( $one ) use ( $post ) {
		return isset( $one['site'], $one['ref'], $one['id'], $one['state'] ) && setting( 'site' ) === $one['site'] && ref( $post ) === $one['ref'];
	};
	return array_values( array_filter( $all, $ours ) );
}

/** The illustration that a request names, if it belongs to the post that it names. */
function illustration_of( $request ) {
	$found = illustrations_of( get_post( (int) $request['id'] ) );
	if ( is_wp_error( $found ) ) {
		return $found;
	}
	foreach ( $found as $one ) {
		if ( (int) $one['id'] === (int) $request['illustration'] ) {
			return $one;
		}
	}
	return not_here();
}

function decided( $illustration, $act, $decision ) {
	$answer  = ask( 'POST', '/illustrations/' . (int) $illustration['id'] . "/$act", $decision );
	$problem = problem_of( $answer );
	if ( $problem ) {
		return $problem;
	}
	return rest_ensure_response( view( (array) json_decode( wp_remote_retrieve_body( $answer ), true ) + $illustration ) );
}

function candidate_ids( $illustration ) {
	return array_map( 'intval', array_column( isset( $illustration['candidates'] ) ? $illustration['candidates'] : array(), 'id' ) );
}

function who() {
	return wp_get_current_user()->display_name . ' (WordPress)';
}

function not_here() {
	return new \WP_Error( 'frontispiece_not_here', __( 'This picture does not belong to this post.', 'frontispiece' ), array( 'status' => 404 ) );
}

/** The service's answer as an error for the editor, or null; a wrong token is the administrator's business. */
function problem_of( $answer ) {
	if ( is_wp_error( $answer ) ) {
		return new \WP_Error( 'frontispiece_away', trouble( $answer ), array( 'status' => 502 ) );
	}
	$status = (int) wp_remote_retrieve_response_code( $answer );
	if ( $status >= 200 && $status < 300 ) {
		return null;
	}
	if ( 401 === $status || 403 === $status ) {
		$words = __( 'The Frontispiece service does not accept the API token in Settings > Frontispiece.', 'frontispiece' );
		return new \WP_Error( 'frontispiece_token', $words, array( 'status' => 502 ) );
	}
	$data  = json_decode( wp_remote_retrieve_body( $answer ), true );
	$words = isset( $data['error'] ) && is_string( $data['error'] ) ? wp_strip_all_tags( $data['error'] ) : trouble( $answer );
	return new \WP_Error( 'frontispiece_answer', $words, array( 'status' => in_array( $status, array( 400, 404, 409 ), true ) ? $status : 502 ) );
}

/** The part of an illustration that the panel shows. */
function view( $one ) {
	$state = (string) $one['state'];
	return array(
		'id'         => (int) $one['id'],
		'state'      => $state,
		'words'      => state_words( $state ),
		'reason'     => isset( $one['reason'] ) ? (string) $one['reason'] : '',
		'alt'        => isset( $one['alt'] ) ? (string) $one['alt'] : '',
		'candidates' => candidate_ids( $one ),
		'desk'       => isset( $one['desk'] ) ? esc_url_raw( $one['desk'], array( 'http', 'https' ) ) : '',
	);
}

function state_words( $state ) {
	$words = array(
		'queued'     => __( 'The picture is waiting for its turn.', 'frontispiece' ),
		'composing'  => __( 'The picture is being described.', 'frontispiece' ),
		'rendering'  => __( 'The picture is being made.', 'frontispiece' ),
		'in_review'  => __( 'The picture is ready for your decision.', 'frontispiece' ),
		'approved'   => __( 'Approved; the picture is on its way to this post.', 'frontispiece' ),
		'publishing' => __( 'The picture is being put on this post.', 'frontispiece' ),
		'published'  => __( 'The picture is on this post.', 'frontispiece' ),
		'reverted'   => __( 'The picture was taken off this post again.', 'frontispiece' ),
		'rejected'   => __( 'The picture was rejected.', 'frontispiece' ),
		'held'       => __( 'The picture waits for an administrator.', 'frontispiece' ),
		'failed'     => __( 'The picture could not be made.', 'frontispiece' ),
		'skipped'    => __( 'No picture is made for this post.', 'frontispiece' ),
	);
	return isset( $words[ $state ] ) ? $words[ $state ] : $state;
}

function enqueue_panel() {
	$screen = get_current_screen();
	if ( ! $screen || 'post' !== $screen->base || ! is_ours( $screen->post_type ) || ! setting( 'token' ) ) {
		return;
	}
	$needs = array( 'wp-api-fetch', 'wp-components', 'wp-core-data', 'wp-data', 'wp-edit-post', 'wp-editor', 'wp-element', 'wp-i18n', 'wp-plugins' );
	$file  = plugin_dir_url( __DIR__ ) . 'panel';
	wp_enqueue_script( 'frontispiece-panel', "$file.js", $needs, VERSION, true );
	wp_set_script_translations( 'frontispiece-panel', 'frontispiece' );
	wp_enqueue_style( 'frontispiece-panel', "$file.css", array( 'wp-components' ), VERSION );
}
