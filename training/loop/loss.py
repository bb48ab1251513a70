"""The training objective: label-smoothed cross-entropy and coverage, in bounded memory."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from longspan.training.corpus.batches import Batch
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.coverage import coverage_loss
from longspan.training.model.model import Model

__all__ = ["LossSums", "cross_entropy_sums", "sequence_loss"]

# Logits of so many positions exist at once; their softmax then stays in a CPU's cache.
_POSITIONS = 128
# The gradient of so many logits is kept for one large product with the outputs.
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
    """One batch through the model, under whatever autocast is on.

    The coverage loss of a sentence counts `coverage_loss_weight` over the sentence's perplexity:
    next to nothing as long as the attention has not found the words to read. From the first update
    on it would keep it from ever finding them: it is lowest where nothing is read twice, which
    running ahead does too. See et al. 2017, section 5, saw the same and added it at the end.
    """
    memory = model.encode(batch.source, batch.source_lengths)
    decoded = model.decode(batch.target_input, memory)
    positions = torch.arange(batch.target_input.shape[1], device=batch.target_input.device)
    real = positions[None] < batch.target_lengths[:, None]  # (batch, target)
    loss, nll, correct = cross_entropy_sums(
        decoded.output[real],
        model.projection.weight,
        model.projection.bias,
        batch.target_output[real],
        label_smoothing,
    )
    coverage = torch.zeros_like(correct)
    if hyperparameters.coverage_mechanism == "loss":
        twice = coverage_loss(decoded.weights, real)  # (batch,)
        known = torch.exp(-_sentence_means(nll, real))
        loss = loss + hyperparameters.coverage_loss_weight * (known * twice).sum()
        coverage = twice.detach().sum()
    return LossSums(loss, nll.sum(), correct, batch.target_lengths.sum(), coverage)


def _sentence_means(x: Tensor, real: Tensor) -> Tensor:
    """x, one number for each real token of (batch, target) -> its mean by sentence, (batch,)."""
    return x.new_zeros(real.shape).masked_scatter(real, x).sum(1) / real.sum(1)


def cross_entropy_sums(
    output: Tensor, weight: Tensor, bias: Tensor, target: Tensor, smoothing: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Summed loss, negative log likelihoods and number of correct tokens of softmax(W output + b).

    output (positions, d), weight (vocabulary, d), bias (vocabulary,), target (positions,);
    loss and number are scalars, the likelihoods (positions,), in nats, without gradient.
    Smoothing as in Szegedy et al. 2016, section 7: (1 - s) of the mass on the target, s
    spread evenly over the vocabulary. The logits are never whole in memory; their gradient
    is made with them in the forward pass, piece by piece, so nothing is computed twice.
    """
    arguments = (output, weight, bias, target, smoothing)
    return _LinearCrossEntropy.apply(*arguments)  # type: ignore[no-untyped-call]


class _LinearCrossEntropy(torch.autograd.Function):
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
            sums, nll = x.new_zeros(2, dtype=wide), x.new_empty(len(x), dtype=wide)
            gradients = _Gradients(x, w, wide) if needs_gradient else None
            for rows in _pieces(0, len(x), _kept_positions(len(w), device)):
                size = _POSITIONS if device == "cpu" else len(x)
                for piece in _pieces(rows.start, rows.stop, size):
                    parts = x[piece], target[piece], nll[piece]
                    d_logits = _piece(*parts, w, b, smoothing, wide, sums)
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
        scale = gradients[0]
        d_output, d_weight, d_bias = (g.mul(scale.to(g.dtype)) for g in ctx.saved_tensors)
        return d_output, d_weight, d_bias, None, None


def _piece(
    x: Tensor,
    target: Tensor,
    nll: Tensor,
    w: Tensor,
    b: Tensor,
    smoothing: float,
    wide: torch.dtype,
    sums: Tensor,
) -> Tensor:
    """Fills one piece's `nll`, adds its loss and correct; returns the gradient of its logits."""
    logits = torch.nn.functional.linear(x, w, b).to(wide)
    vocabulary = logits.shape[1]
    chosen = logits.gather(1, target[:, None])
    largest = logits.amax(1, keepdim=True)
    mean = logits.mean(1, keepdim=True) if smoothing else chosen
    probabilities = logits.sub_(largest).exp_()
    total = probabilities.sum(1, keepdim=True)
    log_total = largest + total.log()
    nll[:] = (log_total - chosen).squeeze(1)
    sums[0] += (1 - smoothing) * nll.sum() + smoothing * (log_total - mean).sum()
    sums[1] += (chosen >= largest).sum()
    gradient = probabilities.div_(total)
    if smoothing:
        gradient.sub_(smoothing / vocabulary)
    return gradient.scatter_add_(1, target[:, None], chosen.new_full(chosen.shape, smoothing - 1))


class _Gradients:
    """Gradients of outputs, weight and bias, summed over pieces in the wide type."""

    def __init__(self, x: Tensor, w: Tensor, wide: torch.dtype) -> None:
        self.x, self.w = x, w
        self.of_output = torch.empty_like(x)
        self.of_weight = torch.zeros_like(w, dtype=wide)
        self.of_bias = torch.zeros(len(w), dtype=wide, device=w.device)
        kept = min(len(x), _kept_positions(len(w), x.device.type))
        self.of_logits = x.new_empty(kept, len(w))

    def keep(self, d_logits: Tensor, start: int) -> None:
        """Rounds one piece to the type of the products."""
        self.of_bias += d_logits.sum(0)
        self.of_logits[start : start + len(d_logits)] = d_logits

    def add(self, rows: slice) -> None:
        """The two large products, for all pieces kept of `rows`."""
        d_logits = self.of_logits[: rows.stop - rows.start]
        torch.matmul(d_logits, self.w, out=self.of_output[rows])
        self.of_weight += d_logits.t() @ self.x[rows]


def _kept_positions(vocabulary: int, device: str) -> int:
    return max(_POSITIONS, _KEPT_LOGITS.get(device, 2**24) // vocabulary)


def _pieces(start: int, stop: int, size: int) -> list[slice]:
    return [slice(i, min(stop, i + size)) for i in range(start, stop, max(1, size))]
