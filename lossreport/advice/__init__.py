"""Advice: which loss suits the errors."""
