"""The demonstration: two member states on one machine, exchanging real consignments."""
