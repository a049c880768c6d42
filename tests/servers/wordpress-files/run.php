<?php
/** Runs the PHP of standard input inside the WordPress of argument 1 and prints what it returns as JSON. */
require __DIR__ . '/request.php';
require $argv[1] . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/admin.php';
$returned = eval( stream_get_contents( STDIN ) );
echo "\n" . wp_json_encode( $returned );
