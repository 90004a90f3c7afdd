"""Logs: finding, opening and reading them."""
