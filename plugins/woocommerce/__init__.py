"""The plugin for WooCommerce: its own webhooks tell, its REST API and WordPress's media take the picture."""
