"""A client of the gateway's national interface, typed, for programs in Python.

::

    from gateway.client import Gateway, Problem

    with Gateway("https://eco.example:8445", key, ca_file=Path("ca.pem")) as gateway:
        try:
            taken = gateway.submit(document)
        except Problem as problem:
            for finding in problem.answer.findings:
                print(finding.rule, finding.path, finding.message, finding.remedy)

Of the gateway's own code it needs ``gateway.documents`` and ``gateway.errors`` alone.
"""

from gateway.client.connection import Limits, Retries
from gateway.client.credentials import ApiKey, ClientCredentials, Credential
from gateway.client.gateway import Gateway
from gateway.client.problems import Problem

__all__ = [
    "ApiKey",
    "ClientCredentials",
    "Credential",
    "Gateway",
    "Limits",
    "Problem",
    "Retries",
]
