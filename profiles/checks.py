"""System checks of the key that address digests are made with."""
