"""The checks on the data: each a small function over a profile."""
