<?php
/**
 * Removes what the plugin stored, except the editors' own choice not to have a picture.
 *
 * @package Frontispiece
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

global $wpdb;
// phpcs:ignore WordPress.DB -- the table is ours, its name is fixed.
$wpdb->query( "DROP TABLE IF EXISTS {$wpdb->prefix}frontispiece_outbox" );
delete_option( 'frontispiece' );
delete_option( 'frontispiece_outbox_version' );
delete_post_meta_by_key( '_frontispiece_autosaved' );
