"""No output ends while its attention has left much of the source unread."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from longspan.inference.search.reading import Reading
from longspan.inference.search.search import search
from longspan.inference.search.settings import SearchSettings
from longspan.inference.search.spelling import Spelling
from longspan.training.errors import HyperparameterError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.tokenizer.tokenizer import EOS


@dataclass(frozen=True)
class Steps:
    count: Tensor  # (batch,)

    def select(self, index: Tensor) -> "Steps":
        return Steps(self.count[index])


@dataclass(frozen=True)
class Source:
    mask: Tensor  # (batch, source)

    def select(self, index: Tensor) -> "Source":
        return Source(self.mask[index])


class Hasty:
    """A model that would always end now, and reads one source token a step, up to `stuck`."""

    own_walk = None

    def __init__(self, stuck: int = 10**6) -> None:
        self.stuck = stuck

    def encode(self, source: Tensor, lengths: Tensor) -> Source:
        return Source(torch.arange(source.shape[1])[None] < lengths[:, None])

    def initial_state(self, memory: Source) -> Steps:
        return Steps(torch.zeros(len(memory.mask), dtype=torch.long))

    def step(self, previous: Tensor, state: Steps, memory: Source):
        logits = torch.linspace(0, 1, 9).repeat(len(previous), 1)
        logits[:, EOS] = 9.0
        width = memory.mask.shape[1]
        place = state.count.clamp(max=self.stuck).clamp(max=width - 1)
        weights = torch.nn.functional.one_hot(place, width).float()
        return logits, Steps(state.count + 1), weights[:, None].expand(-1, 2, -1)


def lengths_of(model, lengths, **settings):
    source = torch.full((len(lengths), max(lengths)), 5)
    found = search(
        model, source, torch.tensor(lengths), SearchSettings(**settings), Spelling()
    )  # fmt: skip
    assert all(hypotheses[0].finished for hypotheses in found)
    return [len(hypotheses[0].ids) for hypotheses in found]


@pytest.mark.parametrize("beam", [1, 3])
def test_the_end_waits_until_the_source_is_read(beam):
    lengths = [3, 12, 40, 25]
    assert lengths_of(Hasty(), lengths, beam_size=beam) == [0, 0, 0, 0]
    # The last place is n - 1; it has been read when n - 1 - 4 is, by step n - 4.
    found = lengths_of(Hasty(), lengths, beam_size=beam, max_unread=4)
    assert found == [max(0, n - 4) for n in lengths]


@pytest.mark.parametrize("beam", [1, 3])
def test_attention_that_is_stuck_holds_up_half_of_the_longest_output_at_most(beam):
    found = lengths_of(
        Hasty(stuck=5), [40], beam_size=beam, max_unread=4, max_length_factor=2.0,
        max_length_offset=0,
    )  # fmt: skip
    assert found == [40]


def test_sources_of_no_more_tokens_are_as_without(table_model, sources):
    model, (source, lengths) = table_model(), sources([5, 9, 7])
    plain, bounded = (
        search(model, source, lengths, SearchSettings(max_unread=most), Spelling())
        for most in (None, 9)
    )
    assert [h[0].ids for h in plain] == [h[0].ids for h in bounded]


@given(
    st.lists(st.integers(2, 30), min_size=1, max_size=5), st.integers(0, 12), st.integers(0, 1000)
)
def test_the_furthest_place_counts_and_follows_its_row(lengths, most, seed):
    generator = np.random.default_rng(seed)
    sizes = np.array(lengths)
    reading = Reading(sizes, 4 * sizes, most)
    furthest, wanted, until = np.zeros(len(sizes)), sizes - 1 - most, 2 * sizes
    for step in range(1, 6):
        places = generator.integers(0, max(lengths), len(wanted))
        weights = torch.nn.functional.one_hot(torch.from_numpy(places), max(lengths)).float()
        reading.read(weights[:, None])
        furthest = np.maximum(furthest, places)
        rows = generator.integers(0, len(wanted), len(wanted) + 1)
        reading.grow(rows, rows)
        furthest, wanted, until = furthest[rows], wanted[rows], until[rows]
        expected = (furthest >= wanted) | (step >= until)
        assert (np.broadcast_to(reading.may_end(step), len(rows)) == expected).all()


def test_a_batch_gives_what_each_sentence_gives(table_model, sources):
    model, settings = table_model(), SearchSettings(beam_size=3, max_unread=2)
    source, lengths = sources([12, 5, 9, 14])
    together = search(model, source, lengths, settings, Spelling())
    for row, length in enumerate(lengths.tolist()):
        (alone,) = search(
            model, source[row : row + 1, :length], lengths[row : row + 1], settings, Spelling()
        )
        assert alone[0].ids == together[row][0].ids


def test_a_model_without_attention_is_refused(table_model, sources):
    with pytest.raises(HyperparameterError, match="max_unread=2: expected a model with attention"):
        search(
            table_model(attention=False), *sources([9]), SearchSettings(max_unread=2), Spelling()
        )


@pytest.mark.parametrize("location", ["none", "progress", "tracking"])
def test_it_is_set_for_attention_that_knows_its_location(location):
    h = Hyperparameters.parse({"attention_location": location})
    found = SearchSettings.from_hyperparameters(h).max_unread
    assert (found is None) == (location == "none")
    assert SearchSettings.from_hyperparameters(h, max_unread=3).max_unread == 3
