"""What a training run gives to compare: words and time between two of its updates."""

from dataclasses import dataclass

__all__ = ["Rate"]


@dataclass(frozen=True)
class Rate:
    """Steady state: start-up and the first updates are not in it."""

    words: float  # target words, EOS counted
    wall: float  # seconds
    cpu: float  # seconds of all threads together
    perplexity: float | None  # of training, over the same updates or the last of them
    peak_mb: float  # resident memory of the whole run

    @property
    def per_wall(self) -> float:
        """Target words a second."""
        return self.words / self.wall

    @property
    def per_cpu(self) -> float:
        """Target words a CPU-second, which hardly depends on what else the machine does."""
        return self.words / self.cpu
