<?php
/**
 * The outbox: a delivery is stored before it is sent and leaves the table when the service has it. WP-Cron tries the
 * rest again for about five days.
 *
 * @package Frontispiece
 */

namespace Frontispiece;

defined( 'ABSPATH' ) || exit;

const OUTBOX_VERSION = '1';
const RETRY_HOOK     = 'frontispiece_retry';
const HOURLY_HOOK    = 'frontispiece_hourly';
// Seconds from each failed try to the next one; after the last, a person must press "Send now".
const PAUSES = array( 60, 300, 900, 3600, 10800, 21600, 43200, 86400, 86400, 86400, 86400 );
const LEASE  = 120;
const AWAY   = 'frontispiece_away';

add_action( 'init', __NAMESPACE__ . '\make_outbox' );
add_action( 'shutdown', __NAMESPACE__ . '\send_new', 100 );
add_action( RETRY_HOOK, __NAMESPACE__ . '\send_due' );
add_action( HOURLY_HOOK, __NAMESPACE__ . '\send_due' );

function outbox() {
	return $GLOBALS['wpdb']->prefix . 'frontispiece_outbox';
}

/** Makes or changes the table when the plugin is new here, on each site of a network too. */
function make_outbox() {
	if ( get_option( 'frontispiece_outbox_version' ) === OUTBOX_VERSION ) {
		return;
	}
	require_once ABSPATH . 'wp-admin/includes/upgrade.php';
	dbDelta(
		'CREATE TABLE ' . outbox() . ' (
			id bigint(20) unsigned NOT NULL AUTO_INCREMENT,
			webhook_id varchar(64) NOT NULL,
			body longtext NOT NULL,
			tries int(11) NOT NULL DEFAULT 0,
			due bigint(20) NOT NULL,
			created bigint(20) NOT NULL,
			trouble text NOT NULL,
			PRIMARY KEY  (id),
			KEY due (due)
		) ' . $GLOBALS['wpdb']->get_charset_collate()
	);
	update_option( 'frontispiece_outbox_version', OUTBOX_VERSION );
	// The single events below can be lost when two requests write the list of events at once; this one catches up.
	if ( ! wp_next_scheduled( HOURLY_HOOK ) ) {
		wp_schedule_event( time() + HOUR_IN_SECONDS, 'hourly', HOURLY_HOOK );
	}
}

function forget_schedule() {
	wp_clear_scheduled_hook( RETRY_HOOK );
	wp_clear_scheduled_hook( HOURLY_HOOK );
	delete_option( 'frontispiece_outbox_version' );
}

/** Stores a delivery; it is sent when this request is over, or by WP-Cron should the request die before. */
function put( $body ) {
	global $wpdb;
	$row = array(
		'webhook_id' => 'msg_' . str_replace( '-', '', wp_generate_uuid4() ),
		'body'       => wp_json_encode( $body, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ),
		'due'        => time() + 60,
		'created'    => time(),
		'trouble'    => '',
	);
	$wpdb->insert( outbox(), $row );
	new_rows( (int) $wpdb->insert_id );
	schedule();
}

/** The rows that this request has put: adds one, or returns all and forgets them. */
function new_rows( $id = null ) {
	static $ids = array();
	if ( null !== $id ) {
		$ids[] = $id;
		return array();
	}
	$all = $ids;
	$ids = array();
	return $all;
}

/** Sends what this request has put, after the editor has its answer wherever PHP can do that. */
function send_new() {
	global $wpdb;
	$ids = new_rows();
	// While the service is away nobody's save waits for it again and again: WP-Cron looks after these.
	if ( ! $ids || get_transient( AWAY ) ) {
		return;
	}
	if ( function_exists( 'fastcgi_finish_request' ) ) {
		fastcgi_finish_request();
	} elseif ( function_exists( 'litespeed_finish_request' ) ) {
		litespeed_finish_request();
	}
	$places = implode( ',', array_fill( 0, count( $ids ), '%d' ) );
	send_rows( $wpdb->get_results( $wpdb->prepare( 'SELECT * FROM ' . outbox() . " WHERE id IN ($places) ORDER BY id", $ids ) ), 3 );
}

/** Sends what is due, oldest first. */
function send_due() {
	global $wpdb;
	$query = 'SELECT * FROM ' . outbox() . ' WHERE due <= %d AND tries <= %d ORDER BY id LIMIT 50';
	send_rows( $wpdb->get_results( $wpdb->prepare( $query, time(), count( PAUSES ) ) ), 10 );
}

/** Sends rows in turn; when the service cannot be reached the others wait, so that nobody waits for each of them. */
function send_rows( $rows, $seconds ) {
	foreach ( $rows as $row ) {
		if ( claim( $row ) && ! send( $row, $seconds ) ) {
			break;
		}
	}
	schedule();
}

/** Takes a row for this request; false if another request has it. */
function claim( $row ) {
	global $wpdb;
	$query = 'UPDATE ' . outbox() . ' SET tries = tries + 1, due = %d WHERE id = %d AND tries = %d';
	return 1 === $wpdb->query( $wpdb->prepare( $query, time() + LEASE, $row->id, $row->tries ) );
}

/** Sends a claimed row; false if the service is away. */
function send( $row, $seconds ) {
	global $wpdb;
	$answer  = is_configured() ? deliver( $row->webhook_id, $row->body, $seconds ) : new \WP_Error( 'unset', 'the settings are not complete' );
	$trouble = trouble( $answer );
	is_wp_error( $answer ) ? set_transient( AWAY, 1, MINUTE_IN_SECONDS ) : delete_transient( AWAY );
	// 422: authentic and kept by the service, which cannot read it; the same bytes again would not help.
	if ( '' === $trouble || 422 === wp_remote_retrieve_response_code( $answer ) ) {
		$wpdb->delete( outbox(), array( 'id' => $row->id ) );
		return true;
	}
	$pause = PAUSES[ min( (int) $row->tries, count( PAUSES ) - 1 ) ];
	$wpdb->update( outbox(), array( 'due' => time() + $pause, 'trouble' => $trouble ), array( 'id' => $row->id ) );
	return ! is_wp_error( $answer );
}

/** Asks WP-Cron to come when the next row is due. */
function schedule() {
	global $wpdb;
	$query = 'SELECT MIN(due) FROM ' . outbox() . ' WHERE tries <= %d';
	$due   = (int) $wpdb->get_var( $wpdb->prepare( $query, count( PAUSES ) ) );
	$at    = wp_next_scheduled( RETRY_HOOK );
	if ( $at && ( ! $due || $at !== $due ) ) {
		wp_clear_scheduled_hook( RETRY_HOOK );
	}
	if ( $due && $at !== $due ) {
		wp_schedule_single_event( $due, RETRY_HOOK );
	}
}

/** What waits: how many, since when, and the last trouble in words. */
function waiting() {
	global $wpdb;
	$count = (int) $wpdb->get_var( 'SELECT COUNT(*) FROM ' . outbox() );
	$last  = $wpdb->get_row( 'SELECT created, trouble FROM ' . outbox() . ' ORDER BY id LIMIT 1' );
	return array( 'count' => $count, 'since' => $last ? (int) $last->created : 0, 'trouble' => $last ? $last->trouble : '' );
}

/** Makes everything that waits due at once, also what was given up. */
function send_everything() {
	global $wpdb;
	$wpdb->query( $wpdb->prepare( 'UPDATE ' . outbox() . ' SET tries = 0, due = %d', time() ) );
	send_due();
}
