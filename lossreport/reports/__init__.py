"""Reports: what every output is rendered from."""
