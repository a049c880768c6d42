<?php
/** Nothing of a WordPress under test leaves the machine: no mail, no question for updates. */
add_filter( 'pre_wp_mail', '__return_true' );
remove_action( 'init', 'wp_schedule_update_checks' );
foreach ( array( 'wp_version_check', 'wp_update_plugins', 'wp_update_themes' ) as $check ) {
	remove_action( $check, $check );
}
remove_action( 'admin_init', '_maybe_update_core' );
remove_action( 'admin_init', '_maybe_update_plugins' );
remove_action( 'admin_init', '_maybe_update_themes' );
