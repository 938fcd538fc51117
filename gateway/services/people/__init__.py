"""People at the console: their roles and rights, how they sign in, and who looks after them."""
