"""The ways in: logging in here or at an identity provider, and who may."""
