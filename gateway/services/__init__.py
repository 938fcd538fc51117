"""What systems of the national side may ask for, whichever way they ask: REST, SOAP or files.

Who asks is a ``Caller`` (``gateway.services.access``); what it may see is decided here and
nowhere else.  The ways in (``gateway.web.api`` and its siblings) only read and word.
"""
