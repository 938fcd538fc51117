"""Everything that answers HTTP: peers (SOAP and REST), the national system, officers, the public.

Each entry point is an app of its own on a port of its own; they never import one another.
"""
