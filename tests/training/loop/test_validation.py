import pytest
import torch

from longspan.training.corpus.batches import collate
from longspan.training.corpus.shards import MemoryCorpus
from longspan.training.errors import DataError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.loop.distributed import World
from longspan.training.loop.loss import sequence_loss
from longspan.training.loop.validation import ValidationData, Validator
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import Tokenizer, WordVocabulary

H = Hyperparameters(
    rnn_num_hidden=8,
    num_embed_source=8,
    num_embed_target=8,
    attention_dimension=8,
    batch_tokens=40,
    precision="fp32",
)
WORDS = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", *(f"w{i}" for i in range(9))])
TOKENIZER = Tokenizer(WORDS, WORDS)


def corpus_of(lengths):
    texts = [" ".join(f"w{(i + n) % 9}" for i in range(n)) for n in lengths]
    encoded = [TOKENIZER.encode_source(text) for text in texts]
    return MemoryCorpus(encoded, encoded)


def copy(model, sources):
    return [source[:-1] for source in sources]


def validator_of(corpus, decode=copy, joined=0, **settings):
    h = H.replace(**settings)
    cpu = torch.device("cpu")
    data = ValidationData(corpus, TOKENIZER, joined)
    return Validator(data, h, sequence_loss, World(), cpu, decode=decode)


def measure(validator, model=None, check=lambda: None, **what):
    what = {"bleu": False, "bleu_long": False} | what
    model = Model(H, len(WORDS), len(WORDS)) if model is None else model
    return validator.measure(model, check=check, **what)


def test_the_loss_is_that_of_all_pairs_one_by_one():
    corpus = corpus_of([1, 4, 7, 12, 30, 60])
    model = Model(H, len(WORDS), len(WORDS)).eval()
    sums = [sequence_loss(model, collate(corpus, [(i,)]), H, label_smoothing=0.0) for i in range(6)]
    found = measure(validator_of(corpus, label_smoothing=0.3), model)
    tokens = sum(s.tokens.item() for s in sums)
    assert found.loss == pytest.approx(sum(s.nll.item() for s in sums) / tokens, rel=1e-5)
    assert found.accuracy == pytest.approx(sum(s.correct.item() for s in sums) / tokens)
    assert found.by_bucket.keys() == {"1-5", "6-10", "11-20", "21-30", "51-75"}
    assert found.by_bucket["11-20"] == pytest.approx(
        sums[3].nll.item() / sums[3].tokens.item(), rel=1e-5
    )
    assert found.bleu is None
    assert "validation:bleu" not in found.metrics


def test_bleu_of_right_and_of_wrong_translations():
    corpus = corpus_of([5, 9, 12] * 10)
    perfect = measure(validator_of(corpus), bleu=True, bleu_long=True)
    assert perfect.metrics["validation:bleu"] == pytest.approx(100)
    assert perfect.bleu_long == pytest.approx(100)
    wrong = validator_of(corpus, decode=lambda model, sources: [[4] for _ in sources])
    assert measure(wrong, bleu=True).bleu < 5


def test_bleu_long_decodes_the_long_part_alone():
    seen = []

    def decode(model, sources):
        seen.extend(map(len, sources))
        return copy(model, sources)

    validator = validator_of(corpus_of([3] * 30 + [120] * 25), decode)
    measure(validator, bleu_long=True)
    assert seen == [121] * 25
    assert validator.long.name == "over 100"


def test_joined_pairs_count_for_the_long_part_and_nothing_else():
    lengths = [4, 7, 12, *[120] * 25]
    model = Model(H, len(WORDS), len(WORDS)).eval()
    seen = []

    def decode(model, sources):
        seen.extend(len(source) - 1 for source in sources)
        return copy(model, sources)

    found = measure(
        validator_of(corpus_of(lengths), decode, joined=25), model, bleu=True, bleu_long=True
    )
    plain = measure(validator_of(corpus_of(lengths[:3])), model)
    assert found.loss == pytest.approx(plain.loss, rel=1e-5)
    assert found.accuracy == pytest.approx(plain.accuracy)
    assert found.by_bucket.keys() == {"1-5", "6-10", "11-20", "over 100 joined"}
    assert sorted(seen) == sorted(lengths)


def test_joined_pairs_alone_are_no_validation():
    with pytest.raises(DataError, match="got only 2 joined"):
        validator_of(corpus_of([120, 130]), joined=2)


def test_a_sample_bounds_what_is_decoded():
    seen = []

    def decode(model, sources):
        seen.extend(sources)
        return copy(model, sources)

    validator = validator_of(corpus_of([5] * 50), decode, bleu_sample_size=7)
    measure(validator, bleu=True)
    assert len(seen) == 7


def test_batches_are_larger_than_those_that_train_unless_they_are_counted_in_sentences():
    """Every pair of this test is over the 40 tokens that a batch trains with."""
    decoded = []

    def decode(model, sources):
        decoded.append(len(sources))
        return copy(model, sources)

    measure(validator_of(corpus_of([50] * 20), decode), bleu=True)
    measure(validator_of(corpus_of([50] * 20), decode, batch_tokens=None, batch_size=8), bleu=True)
    assert decoded == [20, 8, 8, 4]


def test_check_may_end_it():
    class StopNowError(Exception):
        pass

    def check():
        raise StopNowError

    with pytest.raises(StopNowError):
        measure(validator_of(corpus_of([5])), check=check)


def test_no_pairs_is_a_clear_error():
    with pytest.raises(DataError, match="expected pairs, got none"):
        validator_of(MemoryCorpus([], []))
