"""Rendering: a report as page, JSON, Markdown and text."""
