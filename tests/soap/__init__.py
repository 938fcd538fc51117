"""SOAP of the national side: the contract, foreign clients on real sockets, hostile callers."""
