"""One module per version of the tables; never edited once released."""
