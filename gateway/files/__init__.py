"""Watched folders: national systems hand documents over as files, and get what comes as files.

Every hand-over is atomic: a file is claimed by a rename, an answer is written aside and renamed.
What is done with a document is decided behind the counter (``gateway.services``).
"""

from gateway.files.plans import FileForm, InboxPlan, OutboxPlan
from gateway.files.turns import FileClerk

__all__ = ["FileClerk", "FileForm", "InboxPlan", "OutboxPlan"]
