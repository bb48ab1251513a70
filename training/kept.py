"""The share kept: BLEU of long sentences over BLEU at 11 to 20 words."""

__all__ = ["LEAST_BLEU", "MEDIUM", "share_kept"]

# The bucket that long sentences are compared with.
MEDIUM = "11-20"
# A share of less BLEU than this says nothing: where every sentence is wrong, nothing is lost.
# One output for all sources of real text scores up to 0.8 at 11 to 20 words (docs/config.md).
LEAST_BLEU = 8.0


def share_kept(long: float | None, medium: float | None, least: float) -> float | None:
    """`long` over `medium`, both BLEU; None where either is unknown, or `medium` below `least`."""
    if long is None or not medium or medium < least:
        return None
    return long / medium
