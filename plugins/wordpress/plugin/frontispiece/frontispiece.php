<?php
/**
 * Plugin Name:       Frontispiece
 * Description:       Tells your Frontispiece service when an article is new, and shows its picture in the editor for approval.
 * Version:           0.1.0
 * Requires at least: 6.4
 * Requires PHP:      7.4
 * Author:            The Frontispiece authors
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       frontispiece
 *
 * Copyright (C) 2026 The Frontispiece authors
 *
 * This program is free software; you can redistribute it and/or modify it under the terms of the GNU General Public
 * License as published by the Free Software Foundation; either version 2 of the License, or (at your option) any
 * later version. It is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the
 * implied warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See LICENSE in this folder.
 *
 * @package Frontispiece
 */

namespace Frontispiece;

defined( 'ABSPATH' ) || exit;

const VERSION = '0.1.0';

require __DIR__ . '/includes/settings.php';
require __DIR__ . '/includes/service.php';
require __DIR__ . '/includes/outbox.php';
require __DIR__ . '/includes/deliveries.php';
require __DIR__ . '/includes/entries.php';
require __DIR__ . '/includes/panel.php';
require __DIR__ . '/includes/settings-page.php';

register_activation_hook( __FILE__, __NAMESPACE__ . '\make_outbox' );
register_deactivation_hook( __FILE__, __NAMESPACE__ . '\forget_schedule' );
