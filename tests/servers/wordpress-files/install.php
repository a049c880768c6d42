<?php
/** Installs WordPress into the folder of argument 1 and prints the users' ids and the application password as JSON. */
require __DIR__ . '/request.php';
define( 'WP_INSTALLING', true );
require $argv[1] . '/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

$admin = wp_install( 'Blog', 'admin', 'admin@example.org', false, '', 'password' )['user_id'];
switch_theme( 'stub' );
$wp_rewrite->set_permalink_structure( '/%postname%/' );
flush_rewrite_rules( false );

$users = array( 'admin' => $admin );
foreach ( array( 'editor' => 'editor', 'author' => 'author', 'frontispiece' => 'editor' ) as $login => $role ) {
	$users[ $login ] = wp_insert_user(
		array(
			'user_login'   => $login,
			'user_pass'    => 'password',
			'user_email'   => "$login@example.org",
			'display_name' => ucfirst( $login ),
			'role'         => $role,
		)
	);
}
$passwords = array();
foreach ( $users as $login => $id ) {
	$passwords[ $login ] = WP_Application_Passwords::create_new_application_password( $id, array( 'name' => 'Test' ) )[0];
}
echo wp_json_encode( array( 'users' => $users, 'passwords' => $passwords ) );
