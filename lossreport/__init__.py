"""lossreport."""
