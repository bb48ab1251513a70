"""Scores of `search` against those of a full forward pass under teacher forcing."""

import pytest
import torch

from longspan.inference.search.search import SearchSettings, search
from longspan.inference.search.spelling import Spelling
from longspan.training.corpus.batches import Batch
from longspan.training.tokenizer.tokenizer import BOS, EOS


@torch.inference_mode()
def forced_scores(model, batch):
    """log P(target | source) of each pair, EOS included, PAD not: (batch,)."""
    memory = model.encode(batch.source, batch.source_lengths)
    logits = model.project(model.decode(batch.target_input, memory).output)
    chances = logits.double().log_softmax(-1)  # (batch, target, vocabulary)
    chosen = chances.gather(-1, batch.target_output[..., None]).squeeze(-1)
    real = torch.arange(chosen.shape[1]) < batch.target_lengths[:, None]
    return chosen.masked_fill(~real, 0.0).sum(1)


def batch_of(source, lengths, targets):
    """The Batch of these target ids, without BOS and EOS."""
    longest = max(len(t) for t in targets) + 1
    inputs = torch.zeros(len(targets), longest, dtype=torch.long)
    outputs = torch.zeros_like(inputs)
    for row, ids in enumerate(targets):
        inputs[row, : len(ids) + 1] = torch.tensor([BOS, *ids])
        outputs[row, : len(ids) + 1] = torch.tensor([*ids, EOS])
    sizes = torch.tensor([len(t) + 1 for t in targets])
    return Batch(source, lengths, inputs, outputs, sizes)


@pytest.mark.parametrize(
    "changes",
    [
        None,
        {},
        {"attention_type": "none", "attention_heads": "1"},
        {"rnn_cell_type": "gru", "num_layers_decoder": "2", "input_feeding": "true"},
        {"coverage_mechanism": "recurrent", "attention_type": "dot"},
    ],
)
def test_a_search_scores_as_a_full_forward_pass_does(table_model, tiny_model, sources, changes):
    model = table_model() if changes is None else tiny_model(**changes)
    source, lengths = sources([4, 9, 1, 6])
    settings = SearchSettings(
        beam_size=6, length_penalty=0.6, coverage_penalty=0.0, n_best=4, max_length_factor=1.0
    )
    found = [
        (row, hypothesis)
        for row, hypotheses in enumerate(search(model, source, lengths, settings, Spelling()))
        for hypothesis in hypotheses
        if hypothesis.finished
    ]
    assert len(found) >= 8
    rows = torch.tensor([row for row, _ in found])
    batch = batch_of(source[rows], lengths[rows], [h.ids for _, h in found])
    scores = forced_scores(model, batch)
    expected = [h.log_probability for _, h in found]
    assert scores.tolist() == pytest.approx(expected, abs=1e-4)
    for score, (_, h) in zip(scores.tolist(), found, strict=True):
        assert h.score == pytest.approx(score / ((5 + len(h.ids) + 1) / 6) ** 0.6, abs=1e-4)
