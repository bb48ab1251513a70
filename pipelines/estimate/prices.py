"""A table of prices: US dollars an hour by machine type, for the estimate of `--dry-run`.

On-demand list prices of SageMaker training, processing and hosting in us-east-1, noted from
https://aws.amazon.com/sagemaker/ai/pricing/ as of `PRICES_AS_OF` and not fetched since: prices
change and other regions differ, which is why `prices` in the config replaces or adds any of them.
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

# One second of a serverless request for each GB of memory.
SERVERLESS_SECOND = 0.00002

# What spot machines cost at best: AWS advertises savings of up to 90 %; 30 % is usual.
SPOT_SHARE = 0.3


class UnknownPriceError(LongspanError):
    """A machine type whose price neither the table nor the config has."""


def price_of(machine: str, own: Mapping[str, float]) -> float:
    """Dollars an hour. Raises UnknownPriceError; `own` are the config's, which win."""
    price = own.get(machine, PRICES.get(machine))
    if price is None:
        raise UnknownPriceError(
            f"{machine}: expected a price, came none: add `prices: {{{machine}: DOLLARS}}` to the "
            "config, in US dollars an hour"
        )
    return price
