"""What operators do at the console: look at queues, peers and alerts, and act on them.

An operator sees envelopes: ids, parties, states, codes.  Nothing here reads a certificate.
"""
