"""Rate of a training run: words and time between two updates."""

from dataclasses import dataclass

__all__ = ["Rate"]


@dataclass(frozen=True)
class Rate:
    """Words, time and memory of a training run, without start-up and the first updates."""

    words: float  # target words, EOS included
    wall: float  # seconds
    cpu: float  # seconds, summed over all threads
    perplexity: float | None  # training perplexity of these updates or the last of them
    peak_mb: float  # resident memory of the whole run

    @property
    def per_wall(self) -> float:
        """Target words per second."""
        return self.words / self.wall

    @property
    def per_cpu(self) -> float:
        """Target words per CPU-second, which depends little on other load of the machine."""
        return self.words / self.cpu
