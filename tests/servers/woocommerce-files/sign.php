<?php
// Signs standard input as WC_Webhook::generate_signature() does, with the secret that is the first argument.
// wp_specialchars_decode(…, ENT_QUOTES) is PHP's own htmlspecialchars_decode for the five entities that matter here.
$secret = htmlspecialchars_decode( $argv[1], ENT_QUOTES );
echo base64_encode( hash_hmac( 'sha256', trim( json_encode( json_decode( file_get_contents( 'php://stdin' ) ) ) ), $secret, true ) );
