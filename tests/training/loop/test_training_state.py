import json

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.training_state import TrainingState, improves, share_done


def test_json_carries_it():
    state = TrainingState(updates=3, best=0.1 + 0.2, best_updates=[1, 3], period=[1 / 3])
    state.judge(0.1, 2.0, Hyperparameters())
    state.record({"validation:loss": 2.0})
    assert TrainingState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_judging_keeps_the_last_gains():
    h = Hyperparameters(average_checkpoints=2, plateau_reduce_lr_threshold=1)
    state = TrainingState()
    for updates, perplexity in ((10, 9.0), (20, 8.0), (30, 8.5), (40, 7.0)):
        state.updates = updates
        assert state.judge(perplexity, 1.0, h) == (updates != 30)
    assert (state.best, state.best_updates, state.without_gain) == (7.0, [20, 40], 0)
    assert state.plateau.factor == 0.5
    assert state.validated_at == 40


def test_while_bleu_is_0_the_loss_decides():
    h = Hyperparameters(optimized_metric="bleu", average_checkpoints=9)
    state = TrainingState()
    measured = [(0.0, 5.0), (0.0, 4.0), (0.0, 4.5), (0.0, 3.0)]
    for state.updates, (bleu, loss) in enumerate(measured, 1):
        state.judge(bleu, loss, h)
    assert state.best_updates == [1, 2, 4]
    assert state.metric_is_zero
    # From the first BLEU above 0 on, BLEU decides alone.
    for state.updates, (bleu, loss) in enumerate([(0.1, 9.0), (0.1, 2.0), (0.0, 1.0)], 5):
        state.judge(bleu, loss, h)
    assert state.best_updates == [1, 2, 4, 5]
    assert not state.metric_is_zero


def test_the_share_is_that_of_the_nearest_limit():
    state = TrainingState(updates=10, epoch=1, batch=1, epoch_batches=2, seconds=60)
    assert state.epochs == 1.5
    assert share_done(state, Hyperparameters()) is None
    h = Hyperparameters(max_num_batches=100, max_num_epochs=2, max_minutes=5.0)
    assert share_done(state, h) == 0.75


def test_perplexity_should_fall_and_the_others_rise():
    assert improves("perplexity", 3.0, 4.0)
    assert not improves("perplexity", 4.0, 4.0)
    assert improves("bleu", 4.0, 3.0)
    assert not improves("accuracy", 0.5, 0.5)
    assert improves("bleu", 0.0, None)
    assert not improves("bleu", float("nan"), 1.0)
