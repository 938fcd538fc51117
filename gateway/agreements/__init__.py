"""Agreement profiles (data) and the business rules that judge documents by them.

A profile says what an agreement demands; the rules say how that is judged.  Nothing here
reads a clock, a database or a socket: what a rule may know beside the document comes as facts.
"""
