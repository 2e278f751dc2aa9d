"""AWS list prices of us-east-1 in dollars, for estimates.

https://aws.amazon.com/pricing (November 2026)
"""

WRITE_UNIT = 0.625e-6  # of an on-demand table
READ_UNIT = 0.125e-6
GATEWAY_REQUEST = 3.50e-6  # a REST API, the first 333 million of a month
LAMBDA_REQUEST = 0.20e-6
LAMBDA_GIGABYTE_SECOND = 1.66667e-5
MAIL = 1e-4
MEMORY_GIGABYTES = 0.5


def dollars(
    *, requests: float = 0, seconds: float = 0, write_units: float = 0, read_units: float = 0, mails: float = 0
) -> float:
    """Return the price of requests, the Lambda's seconds, capacity units and mails."""
    gateway = requests * (GATEWAY_REQUEST + LAMBDA_REQUEST)
    computing = seconds * MEMORY_GIGABYTES * LAMBDA_GIGABYTE_SECOND
    return gateway + computing + write_units * WRITE_UNIT + read_units * READ_UNIT + mails * MAIL
