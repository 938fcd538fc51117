"""Other ways to hand over the same envelopes: collecting, and bundles in a file."""
