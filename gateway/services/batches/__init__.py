"""Batches: many documents handed over at once, worked through line by line by `eco work`.

``uploads`` takes the bytes in, ``portions`` divides them into documents again, ``line_work`` does
with each what a single submission does, ``working`` commits them under a lease, ``reports`` tells.
"""

from gateway.services.batch_limits import BatchLimits
from gateway.services.batches.reports import (
    Progress,
    cancel,
    one_batch,
    page_of_batches,
    page_of_lines,
    progress_of,
)
from gateway.services.batches.sweeping import sweep
from gateway.services.batches.uploads import BatchOrder, Upload, receive
from gateway.services.batches.working import BatchWorker

__all__ = [
    "BatchLimits",
    "BatchOrder",
    "BatchWorker",
    "Progress",
    "Upload",
    "cancel",
    "one_batch",
    "page_of_batches",
    "page_of_lines",
    "progress_of",
    "receive",
    "sweep",
]
