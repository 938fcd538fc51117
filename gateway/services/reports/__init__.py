"""Reports over certificates of origin: numbers only, of what the visitor's organisation sees."""
