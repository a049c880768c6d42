<?php
/** The theme's only wish. */
add_theme_support( 'post-thumbnails' );
