"""The web side: deliveries come in at `/hooks`, editors at `/desk`, programs at `/api/v1`."""
