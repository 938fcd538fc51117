"""Paper: a certificate of origin as an A4 form with its signed XML inside, and its QR code.

Values and bytes go in, a PDF or a verdict comes out; nothing here reads a clock, a database or
a socket.  What the form says is data (``words.yaml``, the boxes of the agreement); how it looks
stands in ``form.typ``.  docs/paper.md explains the form, the code and what it proves offline.
"""
