<?php
/** Makes a command-line PHP look like a web request, as WordPress expects; argument 1 is the site's folder. */
$frontispiece_site = json_decode( file_get_contents( $argv[1] . '/site.json' ), true );
$_SERVER += array(
	'HTTP_HOST'       => parse_url( $frontispiece_site['url'], PHP_URL_HOST ) . ':' . parse_url( $frontispiece_site['url'], PHP_URL_PORT ),
	'SERVER_NAME'     => '127.0.0.1',
	'REQUEST_METHOD'  => 'GET',
	'REQUEST_URI'     => '/',
	'SERVER_PROTOCOL' => 'HTTP/1.1',
	'REMOTE_ADDR'     => '127.0.0.1',
);
$_SERVER['PHP_SELF'] = '/index.php';
