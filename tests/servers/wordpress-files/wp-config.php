<?php
/** The configuration of a WordPress under test; port and folder differ per copy and come from site.json beside it. */
$frontispiece_test = json_decode( file_get_contents( __DIR__ . '/site.json' ), true );

define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'unused' );
define( 'DB_PASSWORD', 'unused' );
define( 'DB_HOST', 'localhost' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );

define( 'AUTH_KEY', 'a1' );
define( 'SECURE_AUTH_KEY', 'a2' );
define( 'LOGGED_IN_KEY', 'a3' );
define( 'NONCE_KEY', 'a4' );
define( 'AUTH_SALT', 'b1' );
define( 'SECURE_AUTH_SALT', 'b2' );
define( 'LOGGED_IN_SALT', 'b3' );
define( 'NONCE_SALT', 'b4' );

define( 'WP_HOME', $frontispiece_test['url'] );
define( 'WP_SITEURL', $frontispiece_test['url'] );
define( 'WP_ENVIRONMENT_TYPE', 'local' ); // Application passwords over plain HTTP.
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'WP_ACCESSIBLE_HOSTS', 'localhost,127.0.0.1' );
define( 'DISABLE_WP_CRON', true ); // A test calls wp-cron.php when it wants it.
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'WP_AUTO_UPDATE_CORE', false );
define( 'WP_DEBUG', true );
define( 'WP_DEBUG_LOG', __DIR__ . '/debug.log' );
define( 'WP_DEBUG_DISPLAY', false );
define( 'FRONTISPIECE_ALLOW_PRIVATE', $frontispiece_test['allow_private'] );

$table_prefix = 'wp_';

if ( ! defined( 'ABSPATH' ) ) {
	define( 'ABSPATH', __DIR__ . '/' );
}
require_once ABSPATH . 'wp-settings.php';
