"""Other libraries and gateways, measured in the same rounds on the same document and keys.

``install`` gives each an environment of its own under ``.tools/bench``, ``process`` talks to its
program, ``programs`` are those programs.  One that cannot be had here is skipped with the reason.
"""
