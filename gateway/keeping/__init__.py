"""Keeping the books: backups, restoring them elsewhere, and what the law keeps or lets go.

Nothing here reads settings: the command line hands over the store, the files of the home and
the gateway's credential.
"""
