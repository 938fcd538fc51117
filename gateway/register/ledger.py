"""The utilisation ledger's door: both sides' entry points and their records.

The importing side decides and draws (``write_off``, ``decide``); the issuing side believes and
flags (``apply_response``).
"""

from gateway.register.decision import CustomsDecision, DrawnItem, LedgerOutcome, UsePolicy
from gateway.register.importing import decide, write_off
from gateway.register.issuing import ReceivedResponse, apply_response

__all__ = [
    "CustomsDecision",
    "DrawnItem",
    "LedgerOutcome",
    "ReceivedResponse",
    "UsePolicy",
    "apply_response",
    "decide",
    "write_off",
]
