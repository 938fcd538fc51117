"""Operating the gateway: health, metrics, alerts, expiry, outages, doctor and support.

Nothing here takes part in an exchange, and nothing here can stop one: everything reads the
books, works on its own clock and its own transactions, and sends no payload anywhere.
"""
