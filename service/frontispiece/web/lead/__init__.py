"""What the lead sees: the board, templates, sites and deliveries."""
