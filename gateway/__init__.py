"""The eCO gateway: exchanges electronic certificates of origin between member states.

The rooms and the direction of their imports are described in ``docs/architecture.md``
and kept by ``tests/test_architecture.py``.
"""

__version__ = "0.1.0"
