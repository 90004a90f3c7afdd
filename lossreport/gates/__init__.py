"""Gates: conditions that a report must meet, and what was found of each."""
