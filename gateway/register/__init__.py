"""What becomes of a certificate of origin: the register, and the utilisation ledger.

``register`` records what is issued, received, delivered and answered; ``ledger`` counts what
is used; ``states`` says what may follow what; ``guides`` says who must act, by when and why.
"""
