"""SOAP for systems of the national side that speak nothing else.

The contract is ``schemas/wsdl/eco-national.wsdl``.  An operation is an address of the route
table in other clothes: what it does, who may, and what is wrong is decided where REST asks too.
"""

from gateway.web.api.soap.contract import SOAP_PATH
from gateway.web.api.soap.endpoint import NationalSoap

__all__ = ["SOAP_PATH", "NationalSoap"]
