"""System checks of the ledger and of the public link keys."""
