"""The training objective: label-smoothed cross-entropy and coverage loss, in bounded memory.

The logits of a batch, (positions, vocabulary), would be the largest tensor of training. They are
computed in pieces, and each piece gives its part of the gradient before the next one is computed:

    for rows in large pieces:            their gradient of the logits is kept
        for piece in small pieces:       logits, loss, gradient of the logits
        two large products               gradients of outputs and weights for these rows
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from longspan.training.corpus.batches import Batch
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.coverage import coverage_loss
from longspan.training.model.model import Model

__all__ = ["LossSums", "cross_entropy_sums", "sequence_loss"]

# Positions of a small piece on a CPU, so that its softmax stays in the cache.
_POSITIONS = 128
# Logits of a large piece, whose gradient is kept for one large product with the outputs.
_KEPT_LOGITS = {"cpu": 2**24, "cuda": 2**27}


@dataclass(frozen=True)
class LossSums:
    """Sums over the real target tokens of a batch, scalars on its device."""

    loss: Tensor  # smoothed loss plus weighted coverage loss; call backward on it
    nll: Tensor  # negative log likelihood, nats, no smoothing; detached
    correct: Tensor  # tokens whose largest logit is the reference's; detached
    tokens: Tensor  # real target tokens, EOS counted
    coverage: Tensor  # coverage loss without any weight; detached; 0 unless asked for


def sequence_loss(
    model: Model, batch: Batch, hyperparameters: Hyperparameters, *, label_smoothing: float
) -> LossSums:
    """Compute the loss of a batch, under the autocast that is active.

    The coverage loss of a sentence is weighted by `coverage_loss_weight` over the sentence's
    perplexity, so it is near 0 until attention has found the words to read. With its full weight
    from the first update, attention would never find them: coverage loss is also lowest for
    attention that runs ahead without reading anything twice. See et al. 2017, section 5, observed
    the same and added the loss at the end of training.
    """
    memory = model.encode(batch.source, batch.source_lengths)
    decoded = model.decode(batch.target_input, memory)
    positions = torch.arange(batch.target_input.shape[1], device=batch.target_input.device)
    real = positions[None] < batch.target_lengths[:, None]  # (batch, target)
    loss, nll, correct = cross_entropy_sums(
        # (batch, target, d) -> (positions, d): no logits for padding
        decoded.output[real],
        model.projection.weight,
        model.projection.bias,
        batch.target_output[real],
        label_smoothing,
    )
    coverage = torch.zeros_like(correct)
    if hyperparameters.coverage_mechanism == "loss":
        twice = coverage_loss(decoded.weights, real)  # (batch,)
        # 1 / perplexity of each sentence; `nll` has no gradient, so this factor has none.
        known = torch.exp(-_sentence_means(nll, real))
        loss = loss + hyperparameters.coverage_loss_weight * (known * twice).sum()
        coverage = twice.detach().sum()
    return LossSums(loss, nll.sum(), correct, batch.target_lengths.sum(), coverage)


def _sentence_means(x: Tensor, real: Tensor) -> Tensor:
    """x, a number for each token that is true in real (batch, target) -> means (batch,)."""
    return x.new_zeros(real.shape).masked_scatter(real, x).sum(1) / real.sum(1)


def cross_entropy_sums(
    output: Tensor, weight: Tensor, bias: Tensor, target: Tensor, smoothing: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return summed loss, negative log likelihoods and correct tokens of softmax(W output + b).

    output (positions, d), weight (vocabulary, d), bias (vocabulary,), target (positions,). Loss and
    number of correct tokens are scalars, the likelihoods (positions,) in nats and without gradient.
    Smoothing follows Szegedy et al. 2016, section 7: a mass of 1 - s on the target, and s spread
    evenly over the vocabulary. The forward pass computes the gradient too, piece by piece, so the
    logits are never whole in memory and never computed twice.
    """
    arguments = (output, weight, bias, target, smoothing)
    return _LinearCrossEntropy.apply(*arguments)  # type: ignore[no-untyped-call]


class _LinearCrossEntropy(torch.autograd.Function):
    """Softmax cross-entropy of a linear layer, see `cross_entropy_sums`."""

    @staticmethod
    def forward(
        ctx: Any, output: Tensor, weight: Tensor, bias: Tensor, target: Tensor, smoothing: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        device = output.device.type
        compute = output.dtype
        if torch.is_autocast_enabled(device):
            compute = torch.get_autocast_dtype(device)
        wide = torch.promote_types(weight.dtype, torch.float32)
        with torch.autocast(device, enabled=False):
            x, w, b = output.to(compute), weight.to(compute), bias.to(compute)
            needs_gradient = any(ctx.needs_input_grad[:3])
            # Summed loss and number of correct tokens.
            sums, nll = x.new_zeros(2, dtype=wide), x.new_empty(len(x), dtype=wide)
            layer = _OutputLayer(w, b, smoothing, wide)
            gradients = _Gradients(x, w, wide) if needs_gradient else None
            for rows in _pieces(0, len(x), _kept_positions(len(w), device)):
                size = _POSITIONS if device == "cpu" else len(x)
                for piece in _pieces(rows.start, rows.stop, size):
                    d_logits = layer.add_piece(x[piece], target[piece], nll[piece], sums)
                    if gradients is not None:
                        gradients.keep(d_logits, piece.start - rows.start)
                if gradients is not None:
                    gradients.add(rows)
        if gradients is not None:
            ctx.save_for_backward(
                gradients.of_output.to(output.dtype),
                gradients.of_weight.to(weight.dtype),
                gradients.of_bias.to(bias.dtype),
            )
        loss, correct = sums.unbind()
        ctx.mark_non_differentiable(nll, correct)
        return loss, nll, correct

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        # The saved gradients are those of the plain sum; the chain rule multiplies them.
        scale = gradients[0]
        d_output, d_weight, d_bias = (g.mul(scale.to(g.dtype)) for g in ctx.saved_tensors)
        return d_output, d_weight, d_bias, None, None


@dataclass(frozen=True)
class _OutputLayer:
    """The linear layer before the softmax, and how its loss is computed."""

    weight: Tensor  # (vocabulary, d)
    bias: Tensor  # (vocabulary,)
    smoothing: float  # mass taken from the target
    wide: torch.dtype  # of logits and sums

    def add_piece(self, x: Tensor, target: Tensor, nll: Tensor, sums: Tensor) -> Tensor:
        """Fill `nll` of a piece, add its loss and correct tokens to `sums`.

        x (positions, d), target and nll (positions,), sums (2,). Returns the gradient of the
        logits (positions, vocabulary).
        """
        smoothing = self.smoothing
        logits = torch.nn.functional.linear(x, self.weight, self.bias).to(self.wide)
        vocabulary = logits.shape[1]
        chosen = logits.gather(1, target[:, None])
        largest = logits.amax(1, keepdim=True)
        mean = logits.mean(1, keepdim=True) if smoothing else chosen
        # In place: logits, probabilities and gradient are one tensor, the largest of training. All
        # that needs the logits themselves is computed above.
        probabilities = logits.sub_(largest).exp_()
        total = probabilities.sum(1, keepdim=True)
        log_total = largest + total.log()
        nll[:] = (log_total - chosen).squeeze(1)
        # (1 - s) (log Z - z of the target) + s (log Z - mean z)
        sums[0] += (1 - smoothing) * nll.sum() + smoothing * (log_total - mean).sum()
        sums[1] += (chosen >= largest).sum()
        # softmax - ((1 - s) one_hot(target) + s / vocabulary)
        gradient = probabilities.div_(total)
        if smoothing:
            gradient.sub_(smoothing / vocabulary)
        less = chosen.new_full(chosen.shape, smoothing - 1)
        return gradient.scatter_add_(1, target[:, None], less)


class _Gradients:
    """Gradients of output, weight and bias; sums over positions are in the wide type."""

    def __init__(self, x: Tensor, w: Tensor, wide: torch.dtype) -> None:
        self.x, self.w = x, w
        self.of_output = torch.empty_like(x)
        self.of_weight = torch.zeros_like(w, dtype=wide)
        self.of_bias = torch.zeros(len(w), dtype=wide, device=w.device)
        kept = min(len(x), _kept_positions(len(w), x.device.type))
        self.of_logits = x.new_empty(kept, len(w))

    def keep(self, d_logits: Tensor, start: int) -> None:
        """Keep the gradient of a small piece's logits, in the type of the products."""
        self.of_bias += d_logits.sum(0)
        self.of_logits[start : start + len(d_logits)] = d_logits

    def add(self, rows: slice) -> None:
        """Compute the two large products for `rows`, from the gradients that were kept."""
        d_logits = self.of_logits[: rows.stop - rows.start]
        torch.matmul(d_logits, self.w, out=self.of_output[rows])
        self.of_weight += d_logits.t() @ self.x[rows]


def _kept_positions(vocabulary: int, device: str) -> int:
    return max(_POSITIONS, _KEPT_LOGITS.get(device, 2**24) // vocabulary)


def _pieces(start: int, stop: int, size: int) -> list[slice]:
    return [slice(i, min(stop, i + size)) for i in range(start, stop, max(1, size))]
