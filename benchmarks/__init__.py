"""Measures lossreport against what a user would write by hand."""
