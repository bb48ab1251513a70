"""The training loop: batches, updates, validation, checkpoints, early stopping, resumption.

A killed run resumes from its newest intact checkpoint and ends with the same weights, bit for bit
on a CPU, because order, dropout and schedule follow from the seed and the number of the update.
"""

import math
from collections.abc import Callable
from contextlib import closing

from longspan.training.errors import Interrupted, LongspanError
from longspan.training.loop.divergence import (
    check_learned,
    diverged,
    has_learned,
    late_divergence,
)
from longspan.training.loop.feed import UpdateBatch, feed
from longspan.training.loop.metrics import CHECKPOINT, metrics_line
from longspan.training.loop.result import TrainingResult
from longspan.training.loop.resume import best_weights, resume, risen_rate, save
from longspan.training.loop.schedule import learning_rate, schedule_progress
from longspan.training.loop.setup import (
    RunCheckpoints,
    TrainingClocks,
    TrainingEnvironment,
    TrainingTask,
)
from longspan.training.loop.training_log import TrainingProgress
from longspan.training.loop.training_state import (
    TrainingState,
    complete_reason,
    end_reason,
    progress_text,
    share_done,
)
from longspan.training.loop.updater import Updater, load_weights
from longspan.training.loop.validation import Validation

__all__ = ["Trainer"]

_SYSTEM_CLOCKS = TrainingClocks()


class _Stopped(Exception):  # noqa: N818 - the way out of the loop, not an error
    """`stop` returned true."""


class Trainer:
    """The training of one model, from its newest checkpoint or from the start."""

    def __init__(
        self,
        task: TrainingTask,
        checkpoints: RunCheckpoints,
        environment: TrainingEnvironment,
        stop: Callable[[], bool],
        clocks: TrainingClocks = _SYSTEM_CLOCKS,
    ) -> None:
        """`stop` is called after every update and says whether to stop."""
        self.state = TrainingState()
        self._task = task
        self._hyperparameters = task.hyperparameters
        self._checkpoints = checkpoints
        self._world, self._log = environment.world, environment.log
        self._updater = Updater(
            task.model, task.hyperparameters, task.loss, environment.world, environment.device
        )
        # Reading a number from another device waits for all work that was sent to it.
        self._checks_each = environment.device.type == "cpu"
        self._stop = stop
        self._clocks = clocks
        # Readings of the clocks at the start, less the seconds of earlier parts of the run.
        self._started, self._cpu_started = clocks.wall(), clocks.cpu()
        self._line_at = self._saved_at = 0.0  # seconds of the run
        self._seconds_between_lines = environment.log.seconds_between
        self._described = False

    def run(self) -> TrainingResult:
        """Train to the end, resuming if there is a checkpoint, and load the best weights.

        Raises Interrupted after saving, if `stop` returned true; CheckpointError for a checkpoint
        that belongs to another run or cannot be written; DataError when nothing is left to
        train on; LongspanError when the loss is no longer a number, or the best model is no better
        than a uniform guess.
        """
        self._resume()
        try:
            return self._finish(self._loop())
        except _Stopped:
            raise Interrupted(
                f"stopped after {self.state.updates} updates; everything is saved in "
                f"{self._checkpoints.store.directory}: run the same command again to resume"
            ) from None
        finally:
            self._log.close()

    def load_best(self) -> TrainingResult | None:
        """Load the best validated weights after Interrupted; None if none have learned anything.

        They are those of one checkpoint, not a mean, and are not measured again, because a stopped
        job has little time left. Every rank calls this method.
        """
        state = self.state
        if not state.best_updates:
            return None
        updates = state.best_updates[-1]
        h = self._hyperparameters
        best = self._load_one(updates)
        if not has_learned(best.loss, self._task.validator.vocabulary_size):
            return None
        end = complete_reason(state, h) or f"stopped after {progress_text(state, h)}"
        reason = f"{end}; the best weights are of update {updates}"
        return self._result(reason, best)

    def _loop(self) -> str:
        state, h = self.state, self._hyperparameters
        items = feed(
            self._task.corpus,
            h,
            self._world,
            epoch=state.epoch,
            batch=state.batch,
            dropout=self._task.dropout,
        )
        with closing(items):
            try:
                # A run may have been stopped after the update that made a validation due.
                self._validate_if_due()
                while (reason := end_reason(state, h)) is None:
                    self._update(next(items))
                    self._tick()
                    self._validate_if_due()
                # Also the updates since the last validation count, and no run ends without one.
                if state.validated_at != state.updates:
                    self._validate()
            except _Stopped:
                self._save()
                raise
        return complete_reason(state, h) or reason  # the last validation may have ended it too

    def _update(self, item: UpdateBatch) -> None:
        state, h = self.state, self._hyperparameters
        if not self._described:
            self._described = True
            self._log.note(f"each epoch: {item.plan.summary(h)}")
        # All that the update depends on is a function of the state before it.
        progress = schedule_progress(h, state.updates, state.epochs, state.seconds / 60)
        state.rate = learning_rate(h, state.updates, progress, state.plateau)
        self._updater.apply(item.batch, item.tokens, state.rate, state.updates)
        state.updates += 1
        state.tokens += item.tokens
        state.epoch, state.batch = item.next_epoch, item.next_batch
        state.epoch_batches = len(item.plan)

    def _tick(self) -> None:
        """Do what is due after an update: a log line, a checkpoint, a stop."""
        state = self.state
        self._read_clocks()
        # Elsewhere numbers are checked before each line, validation and checkpoint.
        if self._checks_each:
            self._check_numbers()
        self._check_stop()
        if state.seconds - self._line_at >= self._seconds_between_lines:
            self._show()
        if state.seconds - self._saved_at >= self._clocks.between_saves:
            self._save()

    def _show(self) -> None:
        state = self.state
        self._check_numbers()
        sums = self._updater.total(self._updater.recent)
        self._updater.recent = self._updater.zeros()
        metrics = sums.metrics(state.seconds - self._line_at)
        metrics["train:learning_rate"] = state.rate
        self._line_at = state.seconds
        share = share_done(state, self._hyperparameters)
        self._log.show(TrainingProgress(state.updates, state.epochs, state.seconds, share, metrics))

    def _validate_if_due(self) -> None:
        state = self.state
        due = state.updates % self._hyperparameters.checkpoint_frequency_num_batches == 0
        if due and state.validated_at != state.updates:
            self._validate()

    def _validate(self) -> None:
        """Measure the model, record whether it is the best, and save."""
        state, h = self.state, self._hyperparameters
        self._check_numbers()
        metric, training_seconds = h.optimized_metric, state.seconds - state.period_from
        found = self._measure(bleu=metric == "bleu", bleu_long=metric == "bleu_long")
        # Before saving: the checkpoint must say whether it is one of the best, or it may be pruned.
        improved = state.judge(getattr(found, metric), found.loss, h)
        metrics = self._updater.total(self._updater.period).metrics(training_seconds)
        metrics |= {"train:learning_rate": state.rate, **found.metrics}
        self._read_clocks()
        state.record({**metrics, "validation:loss_by_bucket": found.by_bucket})
        place = f"{CHECKPOINT} {state.updates}, epoch {state.epochs:.2f}: "
        gain = " (best so far)" if improved else f" ({state.without_gain} without gain)"
        self._log.note(place + metrics_line(metrics) + gain)
        # The time of validation does not count as training time.
        self._line_at = state.period_from = state.seconds
        self._updater.recent = self._updater.zeros()
        self._updater.period = self._updater.zeros()
        self._save()

    def _measure(
        self, *, bleu: bool, bleu_long: bool, known: Validation | None = None
    ) -> Validation:
        # A stop in the middle leaves the state as it was, so a resumed run measures again.
        found = self._task.validator.measure(
            self._task.model, check=self._check_stop, bleu=bleu, bleu_long=bleu_long, known=known
        )
        if not math.isfinite(found.loss):
            raise self._diverged()
        return found

    def _finish(self, reason: str) -> TrainingResult:
        """Load the best weights, or the mean of several best ones if that is better.

        Raises LongspanError for weights that are no better than a uniform guess.
        """
        self._log.note(f"training is over: {reason}; measuring the best model")
        best, size = self._best(), self._task.validator.vocabulary_size
        check_learned(best.loss, size, self.state.best_updates[-1], self._hyperparameters)
        if not has_learned(self.state.history[-1]["validation:loss"], size):
            self._log.note(late_divergence(self.state.best_updates[-1], self._hyperparameters))
        return self._result(reason, best)

    def _best(self) -> Validation:
        state, metric = self.state, self._hyperparameters.optimized_metric
        if len(state.best_updates) > 1:
            self._load(state.best_updates)
            # Measured again, since the mean of weights may also be worse than each of them.
            mean = self._measure(bleu=True, bleu_long=True)
            if state.is_gain(metric, getattr(mean, metric), mean.loss):
                return mean
            self._log.note(f"the mean of {len(state.best_updates)} checkpoints is no better")
        known = self._load_one(state.best_updates[-1])
        return self._measure(bleu=True, bleu_long=True, known=known)

    def _result(self, reason: str, best: Validation) -> TrainingResult:
        state = self.state
        return TrainingResult(
            reason,
            complete_reason(state, self._hyperparameters) is not None,
            state.updates,
            state.epochs,
            state.seconds,
            state.tokens,
            best,
            [dict(entry) for entry in state.history],
            self._hyperparameters.optimized_metric if state.metric_is_zero else None,
        )

    def _load_one(self, updates: int) -> Validation:
        """Load the weights of one checkpoint, and return their validation at that time."""
        self._load([updates])
        history = reversed(self.state.history)
        return Validation.from_record(next(e for e in history if e["updates"] == updates))

    def _load(self, updates: list[int]) -> None:
        load_weights(self._task.model, best_weights(self._checkpoints.store, updates, self._world))

    def _resume(self) -> None:
        found = resume(self._checkpoints, self._updater, self._world)
        if found is not None:
            self.state = found
            self._log.note(
                f"resumed at update {found.updates}, epoch {found.epochs:.2f}, from "
                f"{self._checkpoints.store.directory}"
            )
            if (line := risen_rate(found, self._hyperparameters)) is not None:
                self._log.note(line)
        # As if the run had begun earlier: its seconds go on from those of the checkpoint.
        self._started = self._clocks.wall() - self.state.seconds
        self._cpu_started = self._clocks.cpu() - self.state.cpu_seconds
        self._line_at = self._saved_at = self.state.seconds
        self._seconds_between_lines = self._world.first(self._seconds_between_lines)

    def _save(self) -> None:
        self._check_numbers()
        save(self._checkpoints, self.state, self._updater, self._world)
        self._saved_at = self.state.seconds

    def _read_clocks(self) -> None:
        # One clock for all ranks: `max_minutes` must end them after the same update.
        self.state.seconds = self._world.first(self._clocks.wall() - self._started)
        self.state.cpu_seconds = self._clocks.cpu() - self._cpu_started

    def _check_stop(self) -> None:
        # All ranks stop after the same update; one that went on would wait for the others'
        # gradients.
        if self._world.any(self._stop()):
            raise _Stopped

    def _check_numbers(self) -> None:
        if not self._updater.is_finite():
            raise self._diverged()

    def _diverged(self) -> LongspanError:
        return diverged(
            self.state.updates, self._hyperparameters, self._checkpoints.store.directory
        )
