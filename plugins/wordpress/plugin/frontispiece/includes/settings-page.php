<?php
/**
 * Settings > Frontispiece, for those who may manage_options.
 *
 * @package Frontispiece
 */

namespace Frontispiece;

defined( 'ABSPATH' ) || exit;

const PAGE = 'frontispiece';

add_action( 'admin_menu', __NAMESPACE__ . '\add_page' );
add_action( 'admin_init', __NAMESPACE__ . '\register_page' );
add_action( 'admin_post_frontispiece_test', __NAMESPACE__ . '\on_test' );
add_action( 'admin_post_frontispiece_send', __NAMESPACE__ . '\on_send' );

function add_page() {
	add_options_page( 'Frontispiece', 'Frontispiece', 'manage_options', PAGE, __NAMESPACE__ . '\show_page' );
}

function register_page() {
	register_setting( PAGE, 'frontispiece', array( 'type' => 'array', 'sanitize_callback' => __NAMESPACE__ . '\clean' ) );
}

/** The fields of the page: label, kind of field, help. */
function fields() {
	return array(
		'service'    => array( __( 'Service URL', 'frontispiece' ), 'url', __( 'Where your Frontispiece answers, such as https://frontispiece.example.org', 'frontispiece' ) ),
		'site'       => array( __( 'Site name', 'frontispiece' ), 'text', __( 'The name after “sites.” in frontispiece.toml, such as blog', 'frontispiece' ) ),
		'secret'     => array( __( 'Webhook secret', 'frontispiece' ), 'password', __( 'Starts with whsec_; shown by “frontispiece connect”. Leave empty to keep the present one.', 'frontispiece' ) ),
		'token'      => array( __( 'API token', 'frontispiece' ), 'password', __( 'For the panel in the editor; made with “frontispiece token add”. Leave empty to keep the present one.', 'frontispiece' ) ),
		'user'       => array( __( 'Service user', 'frontispiece' ), 'text', __( 'Login name of the user whose application password Frontispiece has; what this user writes is not sent.', 'frontispiece' ) ),
		'post_types' => array( __( 'Post types', 'frontispiece' ), 'types', __( 'Which kinds of entries are told to Frontispiece.', 'frontispiece' ) ),
	);
}

function show_page() {
	$result = get_transient( 'frontispiece_test_' . get_current_user_id() );
	delete_transient( 'frontispiece_test_' . get_current_user_id() );
	echo '<div class="wrap"><h1>Frontispiece</h1>';
	foreach ( is_array( $result ) ? $result : array() as $line ) {
		notice( $line['good'] ? 'success' : 'error', $line['words'] );
	}
	echo '<form method="post" action="' . esc_url( admin_url( 'options.php' ) ) . '">';
	settings_fields( PAGE );
	echo '<table class="form-table" role="presentation">';
	foreach ( fields() as $name => $field ) {
		show_field( $name, ...$field );
	}
	echo '</table>';
	submit_button();
	echo '</form><h2>' . esc_html__( 'Deliveries', 'frontispiece' ) . '</h2>';
	show_button( 'frontispiece_test', __( 'Send a test delivery', 'frontispiece' ) );
	show_waiting();
	echo '</div>';
}

function notice( $kind, $words ) {
	printf( '<div class="notice notice-%s"><p>%s</p></div>', esc_attr( $kind ), esc_html( $words ) );
}

function show_field( $name, $label, $kind, $help ) {
	$id = "frontispiece-$name";
	printf( '<tr><th scope="row"><label for="%s">%s</label></th><td>', esc_attr( $id ), esc_html( $label ) );
	if ( 'types' === $kind ) {
		show_types( $id );
	} else {
		$secret = 'password' === $kind;
		printf(
			'<input class="regular-text" id="%s" name="frontispiece[%s]" type="%s" value="%s" placeholder="%s" autocomplete="%s" aria-describedby="%s-help">',
			esc_attr( $id ),
			esc_attr( $name ),
			esc_attr( $kind ),
			esc_attr( $secret ? '' : setting( $name ) ),
			esc_attr( $secret ? hint( setting( $name ) ) : '' ),
			esc_attr( $secret ? 'new-password' : 'off' ),
			esc_attr( $id )
		);
	}
	printf( '<p class="description" id="%s-help">%s</p></td></tr>', esc_attr( $id ), esc_html( $help ) );
}

/** What may be shown of a secret. */
function hint( $secret ) {
	/* translators: %s: the last four characters of a secret */
	return $secret ? sprintf( __( 'set, ends in %s', 'frontispiece' ), substr( $secret, -4 ) ) : __( 'not set', 'frontispiece' );
}

function show_types( $id ) {
	printf( '<fieldset id="%s">', esc_attr( $id ) );
	foreach ( possible_post_types() as $type ) {
		printf(
			'<label><input type="checkbox" name="frontispiece[post_types][]" value="%s" %s> %s</label><br>',
			esc_attr( $type->name ),
			checked( is_ours( $type->name ), true, false ),
			esc_html( $type->labels->name )
		);
	}
	echo '</fieldset>';
}

function show_button( $action, $label ) {
	printf( '<form method="post" action="%s">', esc_url( admin_url( 'admin-post.php' ) ) );
	printf( '<input type="hidden" name="action" value="%s">', esc_attr( $action ) );
	wp_nonce_field( $action );
	submit_button( $label, 'secondary', 'submit', false );
	echo '</form>';
}

function show_waiting() {
	$waiting = waiting();
	if ( ! $waiting['count'] ) {
		echo '<p>' . esc_html__( 'Nothing waits to be sent.', 'frontispiece' ) . '</p>';
		return;
	}
	/* translators: 1: how many, 2: for how long, such as "2 hours", 3: what went wrong */
	$words = __( '%1$d deliveries wait, the oldest for %2$s. %3$s', 'frontispiece' );
	echo '<p>' . esc_html( sprintf( $words, $waiting['count'], human_time_diff( $waiting['since'] ), $waiting['trouble'] ) ) . '</p>';
	show_button( 'frontispiece_send', __( 'Send now', 'frontispiece' ) );
}

/** Takes the form's values; what is wrong keeps its old value, with a notice that says why. */
function clean( $input ) {
	$input = is_array( $input ) ? $input : array();
	$kept  = array();
	foreach ( array_keys( DEFAULTS ) as $name ) {
		$kept[ $name ] = setting( $name );
	}
	$kept['post_types'] = array_values( array_intersect( array_keys( possible_post_types() ), isset( $input['post_types'] ) ? (array) $input['post_types'] : array() ) );
	foreach ( array( 'service', 'site', 'secret', 'token', 'user' ) as $name ) {
		$value = isset( $input[ $name ] ) && is_string( $input[ $name ] ) ? trim( $input[ $name ] ) : '';
		if ( '' === $value && in_array( $name, array( 'secret', 'token' ), true ) ) {
			continue;
		}
		$wrong = wrong_with( $name, $value );
		if ( $wrong ) {
			add_settings_error( PAGE, $name, $wrong );
		} else {
			$kept[ $name ] = 'service' === $name ? untrailingslashit( esc_url_raw( $value ) ) : $value;
		}
	}
	return $kept;
}

/** What is wrong with a value, in words; empty if nothing. */
function wrong_with( $name, $value ) {
	switch ( $name ) {
		case 'service':
			return preg_match( '#^https?://[^/\s@]+#', $value ) ? '' : __( 'The service URL must start with https:// (or http:// on your own network).', 'frontispiece' );
		case 'site':
			return preg_match( '/^[a-z][a-z0-9_-]*$/', $value ) ? '' : __( 'The site name begins with a small letter and has small letters, digits, _ and - only.', 'frontispiece' );
		case 'secret':
			$bytes = strpos( $value, 'whsec_' ) === 0 ? base64_decode( substr( $value, 6 ), true ) : false;
			return $bytes && strlen( $bytes ) >= 24 ? '' : __( 'The webhook secret must be whsec_ and at least 24 bytes in base64.', 'frontispiece' );
		case 'token':
			return preg_match( '/^[\x21-\x7e]+$/', $value ) ? '' : __( 'The API token has no spaces and no accents.', 'frontispiece' );
		default:
			return get_user_by( 'login', $value ) ? '' : __( 'There is no user with the login name of the service user.', 'frontispiece' );
	}
}

function on_test() {
	may_manage( 'frontispiece_test' );
	if ( ! is_configured() ) {
		report( array( array( 'good' => false, 'words' => __( 'Fill in the service URL, the site name and the webhook secret, and save them, first.', 'frontispiece' ) ) ) );
	}
	$sent    = trouble( deliver( 'msg_' . str_replace( '-', '', wp_generate_uuid4() ), wp_json_encode( test_body(), JSON_UNESCAPED_SLASHES ), 10 ) );
	$lines   = array( array( 'good' => ! $sent, 'words' => $sent ?: __( 'The service took the test delivery.', 'frontispiece' ) ) );
	$problem = setting( 'token' ) && ! $sent ? problem_of( ask( 'GET', '/illustrations?limit=1&site=' . rawurlencode( setting( 'site' ) ) ) ) : null;
	if ( setting( 'token' ) && ! $sent ) {
		$lines[] = array( 'good' => ! $problem, 'words' => $problem ? $problem->get_error_message() : __( 'The service accepts the API token.', 'frontispiece' ) );
	}
	report( $lines );
}

function on_send() {
	may_manage( 'frontispiece_send' );
	send_everything();
	$left = waiting();
	$good = array( 'good' => true, 'words' => __( 'Everything was sent.', 'frontispiece' ) );
	report( array( $left['count'] ? array( 'good' => false, 'words' => $left['trouble'] ) : $good ) );
}

function may_manage( $action ) {
	check_admin_referer( $action );
	if ( ! current_user_can( 'manage_options' ) ) {
		wp_die( esc_html__( 'Only an administrator may do this.', 'frontispiece' ), '', array( 'response' => 403 ) );
	}
}

/** Shows lines on the settings page that the browser is sent back to. */
function report( $lines ) {
	set_transient( 'frontispiece_test_' . get_current_user_id(), $lines, 300 );
	wp_safe_redirect( admin_url( 'options-general.php?page=' . PAGE ) );
	exit;
}
