"""Profiles: the mergeable statistics of a log."""
