"""The history: the profiles of earlier runs, one per day and input, and their upkeep."""
