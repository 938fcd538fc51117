"""Watched folders: atomic hand-over both ways, whatever dies, lies or collides."""
