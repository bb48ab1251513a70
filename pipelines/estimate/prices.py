"""Prices in US dollars: machines per hour, disks, serverless requests.

These are on-demand list prices of SageMaker training, processing and hosting in us-east-1, copied
from https://aws.amazon.com/sagemaker/ai/pricing/ on `PRICES_AS_OF`. Prices change and other regions
differ; `prices` in the config adds or replaces any of them.
"""

from collections.abc import Mapping

from longspan.training.errors import LongspanError

__all__ = [
    "PRICES",
    "PRICES_AS_OF",
    "SERVERLESS_SECOND",
    "SPOT_SHARE",
    "VOLUME_HOUR",
    "UnknownPriceError",
    "price_of",
]

PRICES_AS_OF = "2025-06"

PRICES: Mapping[str, float] = {
    "ml.t3.medium": 0.05,
    "ml.m5.large": 0.115,
    "ml.m5.xlarge": 0.23,
    "ml.m5.2xlarge": 0.461,
    "ml.m5.4xlarge": 0.922,
    "ml.m5.12xlarge": 2.765,
    "ml.c5.xlarge": 0.204,
    "ml.c5.2xlarge": 0.408,
    "ml.c5.4xlarge": 0.816,
    "ml.c5.9xlarge": 1.836,
    "ml.g4dn.xlarge": 0.736,
    "ml.g4dn.2xlarge": 0.94,
    "ml.g4dn.12xlarge": 4.89,
    "ml.g5.xlarge": 1.408,
    "ml.g5.2xlarge": 1.515,
    "ml.g5.4xlarge": 2.03,
    "ml.g5.12xlarge": 7.09,
    "ml.g5.48xlarge": 20.36,
    "ml.p3.2xlarge": 3.825,
    "ml.p4d.24xlarge": 37.688,
}

# One GB of a job's disk for an hour: 0.14 dollars a month of 730 hours.
VOLUME_HOUR = 0.14 / 730

# One second of a serverless request, per GB of memory.
SERVERLESS_SECOND = 0.00002

# The usual price of spot machines as a share of the on-demand price; AWS advertises down to 10 %.
SPOT_SHARE = 0.3


class UnknownPriceError(LongspanError):
    """A machine type whose price is neither in the table nor in the config."""


def price_of(machine: str, own: Mapping[str, float]) -> float:
    """Return the dollars per hour of a machine type; the config's prices `own` win.

    Raises UnknownPriceError.
    """
    price = own.get(machine, PRICES.get(machine))
    if price is None:
        raise UnknownPriceError(
            f"{machine}: expected a price, got none; add `prices: {{{machine}: DOLLARS}}` to the "
            "config, in US dollars per hour"
        )
    return price
