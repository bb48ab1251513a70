import pytest

from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.schedule import Plateau, learning_rate, schedule_progress

KINDS = ("plateau_reduce", "fixed_rate_inv_t", "fixed_rate_inv_sqrt_t", "cosine", "constant")


def rate(kind, updates, progress=0.0, plateau=None, **settings):
    h = Hyperparameters(lr_scheduler_type=kind, learning_rate=1.0, **settings)
    return learning_rate(h, updates, progress, plateau or Plateau())


@pytest.mark.parametrize("kind", ["fixed_rate_inv_t", "fixed_rate_inv_sqrt_t"])
def test_half_the_rate_after_the_half_life_in_checkpoints(kind):
    settings = {"fixed_rate_lr_half_life": 4, "checkpoint_frequency_num_batches": 50}
    assert rate(kind, 0, **settings) == 1.0
    assert rate(kind, 200, **settings) == pytest.approx(0.5)
    assert rate(kind, 199, **settings) > rate(kind, 200, **settings)


def test_cosine_falls_from_the_rate_to_nothing():
    assert [rate("cosine", 0, p) for p in (0, 0.5, 1)] == pytest.approx([1, 0.5, 0])


def test_constant_stays():
    assert rate("constant", 10**6, 1.0) == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_warm_up_rises_linearly(kind):
    settings = {"lr_warmup_num_batches": 10, "checkpoint_frequency_num_batches": 10**6}
    rates = [rate(kind, updates, **settings) for updates in range(12)]
    assert rates[:9] == pytest.approx([(u + 1) / 10 for u in range(9)])
    assert rates[-1] == pytest.approx(1, abs=1e-3)


def test_plateau_lowers_the_rate_each_time_the_patience_is_over():
    h = Hyperparameters(plateau_reduce_lr_threshold=2, plateau_reduce_lr_factor=0.5)
    plateau, factors = Plateau(), []
    for improved in (True, False, True, False, False, False, False):
        plateau = plateau.after_checkpoint(improved, h)
        factors.append(plateau.factor)
    assert factors == [1, 1, 1, 1, 0.5, 0.5, 0.25]
    assert rate("plateau_reduce", 5, plateau=plateau) == 0.25


def test_progress_prefers_limits_that_no_clock_decides():
    every = {"max_num_batches": 10, "max_num_epochs": 4, "max_minutes": 2.0}
    spent = {"updates": 5, "epochs": 1.0, "minutes": 1.5}
    found = []
    while every:
        found.append(schedule_progress(Hyperparameters(**every), **spent))
        every.pop(next(iter(every)))
    assert found == [0.5, 0.25, 0.75]
    assert schedule_progress(Hyperparameters(), **spent) == 0
    assert schedule_progress(Hyperparameters(max_num_batches=1), **spent) == 1
