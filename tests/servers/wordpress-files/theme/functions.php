<?php
/** The theme's only wish. */
add_theme_support( 'post-thumbnails' );
/** A type of entries as a site of its own has it. */
add_action(
	'init',
	function () {
		$shown = array( 'label' => 'Recipes', 'public' => true, 'show_in_rest' => true, 'rest_base' => 'recipes' );
		register_post_type( 'recipe', $shown + array( 'supports' => array( 'title', 'editor', 'thumbnail' ) ) );
	}
);
