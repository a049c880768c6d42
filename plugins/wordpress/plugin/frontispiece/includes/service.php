<?php
/**
 * Talks to the Frontispiece service: signed deliveries to /hooks/<site>, and its API with the token.
 *
 * @package Frontispiece
 */

namespace Frontispiece;

defined( 'ABSPATH' ) || exit;

/**
 * Sends one delivery, signed as Standard Webhooks asks (github.com/standard-webhooks/standard-webhooks).
 *
 * @return array|\WP_Error What wp_safe_remote_post() returns.
 */
function deliver( $webhook_id, $body, $seconds ) {
	$stamp   = (string) time();
	$key     = base64_decode( preg_replace( '/^whsec_/', '', setting( 'secret' ) ) );
	$signed  = hash_hmac( 'sha256', "$webhook_id.$stamp.$body", $key, true );
	$headers = array(
		'Content-Type'      => 'application/json',
		'webhook-id'        => $webhook_id,
		'webhook-timestamp' => $stamp,
		'webhook-signature' => 'v1,' . base64_encode( $signed ),
	);
	$request = array( 'method' => 'POST', 'headers' => $headers, 'body' => $body, 'timeout' => $seconds );
	return request( '/hooks/' . rawurlencode( setting( 'site' ) ), $request );
}

/**
 * Asks the service's API.
 *
 * @return array|\WP_Error What the wp_safe_remote functions return.
 */
function ask( $method, $path, $body = null ) {
	$request = array(
		'method'  => $method,
		'headers' => array( 'Authorization' => 'Bearer ' . setting( 'token' ), 'Accept' => 'application/json' ),
		'timeout' => 15,
	);
	if ( null !== $body ) {
		$request['headers']['Content-Type'] = 'application/json';
		$request['body']                    = wp_json_encode( $body );
	}
	return request( '/api/v1' . $path, $request );
}

/** One request to the service, and to nobody else: redirects are not followed, they would carry the token along. */
function request( $path, $request ) {
	$url = untrailingslashit( setting( 'service' ) ) . $path;
	if ( ! allows_private() ) {
		return wp_safe_remote_request( $url, $request + array( 'redirection' => 0 ) );
	}
	$host = wp_parse_url( $url, PHP_URL_HOST );
	$port = wp_parse_url( $url, PHP_URL_PORT );

	$allow_host = static function ( $external, $asked ) use ( $host ) {
		return $external || $asked === $host;
	};
	$allow_port = static function ( $ports, $asked ) use ( $host, $port ) {
		return $asked === $host && $port ? array_merge( $ports, array( $port ) ) : $ports;
	};
	add_filter( 'http_request_host_is_external', $allow_host, 10, 2 );
	add_filter( 'http_allowed_safe_ports', $allow_port, 10, 2 );
	$answer = wp_safe_remote_request( $url, $request + array( 'redirection' => 0 ) );
	remove_filter( 'http_request_host_is_external', $allow_host, 10 );
	remove_filter( 'http_allowed_safe_ports', $allow_port, 10 );
	return $answer;
}

/**
 * Whether the service may be on a private address, or on a port other than 80, 443 and 8080.
 *
 * WordPress refuses those for every address that can be typed into a settings page; whoever can edit wp-config.php
 * may allow it for the service alone with define( 'FRONTISPIECE_ALLOW_PRIVATE', true ), or by the filter.
 */
function allows_private() {
	$constant = defined( 'FRONTISPIECE_ALLOW_PRIVATE' ) && FRONTISPIECE_ALLOW_PRIVATE;
	return (bool) apply_filters( 'frontispiece_allow_private', $constant );
}

/** What the service said to a delivery, in words; empty if all is well. */
function trouble( $answer ) {
	if ( is_wp_error( $answer ) ) {
		return 'http_request_failed' === $answer->get_error_code() && ! allows_private() && wp_http_validate_url( setting( 'service' ) ) === false
			? __( 'WordPress does not send to this address: it is private, or its port is not 80, 443 or 8080. If that is meant, put define( \'FRONTISPIECE_ALLOW_PRIVATE\', true ); into wp-config.php.', 'frontispiece' )
			/* translators: %s: the reason, in English */
			: sprintf( __( 'The service could not be reached: %s', 'frontispiece' ), $answer->get_error_message() );
	}
	$status = (int) wp_remote_retrieve_response_code( $answer );
	if ( $status >= 200 && $status < 300 ) {
		return '';
	}
	if ( 401 === $status ) {
		return __( 'The service does not accept the signature: is the secret the same on both sides, and are both clocks right?', 'frontispiece' );
	}
	if ( 404 === $status ) {
		/* translators: %s: the site's name */
		return sprintf( __( 'The service knows no site called “%s”, or there is no Frontispiece at this address.', 'frontispiece' ), setting( 'site' ) );
	}
	$words = substr( wp_strip_all_tags( wp_remote_retrieve_body( $answer ) ), 0, 200 );
	/* translators: 1: HTTP status, 2: the answer's text */
	return trim( sprintf( __( 'The service answered %1$d. %2$s', 'frontispiece' ), $status, $words ) );
}
