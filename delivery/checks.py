"""System checks of the database that deliveries rely on."""
