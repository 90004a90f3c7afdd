"""Commands: what each one does with its options."""
