"""Makes what the documentation shows: the page of templates, and the gallery."""
