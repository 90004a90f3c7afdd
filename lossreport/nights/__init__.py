"""Nights: the profiles of earlier runs, and what changed between them."""
