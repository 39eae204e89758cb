"""How images become training, validation and test, and what leaks between them."""
