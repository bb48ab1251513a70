"""What a search finds is UTF-8, whatever its model prefers."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from longspan.inference.compression.compressed_model import CompressedModel
from longspan.inference.search.search import SearchSettings, search
from longspan.inference.search.spelling import Characters, Spelling
from longspan.inference.translation.translator import Translator
from longspan.inference.workers.messages import TranslationJob
from longspan.inference.workers.scheduler import SearchScheduler
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import BOS, EOS, PAD, UNK

# A byte's token is its value and four; three pieces of text come after.
BYTES = {value + 4: value for value in range(256)}
PIECES = {260: b"a", 261: "猫が".encode(), 262: b" dog"}
SPELLING = Spelling(BYTES)


def spelt(ids):
    return b"".join(PIECES.get(i) or (bytes([BYTES[i]]) if i in BYTES else b"") for i in ids)


def allowed(characters, left, may_end=True):
    """The tokens that the one row may have."""
    bars = characters.bars(np.array([left]), may_end=may_end)
    line = bars.table[bars.kinds[0]]
    return [token for token in range(263) if line[min(token, len(line) - 1)] == 0]


@given(st.data(), st.integers(1, 12))
def test_whatever_is_chosen_of_what_is_allowed_is_utf_8(data, limit):
    characters, ids = Characters(1, SPELLING), []
    while len(ids) < limit:
        tokens = allowed(characters, limit - len(ids))
        assert tokens  # something can always be said
        # Bytes from 80 on are rare otherwise.
        high = [token for token in tokens if BYTES.get(token, 0) >= 0x80]
        token = data.draw(st.sampled_from(high if high and data.draw(st.booleans()) else tokens))
        if token == EOS:
            break
        whole = characters.whole(np.array([0]), np.array([token]))[0]
        characters.grow(np.array([0]), np.array([token]))
        ids.append(token)
        assert whole == (EOS in allowed(characters, 4))
    spelt(ids).decode()  # strictly


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_every_text_may_be_said_byte_by_byte(text):
    characters = Characters(1, SPELLING)
    rest = list(text.encode())
    for number, value in enumerate(rest):
        assert value + 4 in allowed(characters, len(rest) - number)
        characters.grow(np.array([0]), np.array([value + 4]))
    assert EOS in allowed(characters, 1)
    assert EOS not in allowed(characters, 1, may_end=False)
    assert not {PAD, BOS} & set(allowed(characters, 1))


def test_a_vocabulary_of_words_bars_what_no_text_holds():
    characters = Characters(2, Spelling())
    for may_end in (True, False):
        bars = characters.bars(np.array([1, 9]), may_end=may_end)
        barred = [np.flatnonzero(bars.table[kind]).tolist() for kind in bars.kinds]
        assert barred == [[PAD, BOS] if may_end else [PAD, BOS, EOS]] * 2


def byte_lover(tokenizer, seed, **changes):
    """A model of random weights that would rather say bytes than anything else."""
    sizes = ("rnn_num_hidden", "num_embed_source", "num_embed_target", "attention_dimension")
    values = dict.fromkeys((*sizes, "transformer_num_hidden"), "64")
    values |= {"transformer_feed_forward": "64", "transformer_heads": "4", "attention_heads": "2"}
    h = Hyperparameters.parse(values | changes)
    torch.manual_seed(seed)
    model = Model(h, len(tokenizer.source), len(tokenizer.target))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.0, 0.5)
        high = [t for t, value in tokenizer.target.byte_tokens.items() if value >= 0x80]
        model.projection.bias[high] += 3.0
        model.projection.bias[EOS] += 4.0
    return model.eval(), h


def is_utf_8(tokenizer, ids):
    values = tokenizer.target.byte_tokens
    said = (
        bytes([values[i]]) if i in values else tokenizer.target.decode([i]).encode() for i in ids
    )
    try:
        b"".join(said).decode()
    except UnicodeDecodeError:
        return False
    return True


def batch(tokenizer):
    ids = [tokenizer.encode_source(text) for text in ("the cat", "a dog sees the cat .", "a")]
    source = torch.zeros(3, max(map(len, ids)), dtype=torch.long)
    for row, tokens in zip(source, ids, strict=True):
        row[: len(tokens)] = torch.tensor(tokens)
    return source, torch.tensor([len(tokens) for tokens in ids])


@pytest.mark.parametrize("kind", ["rnn", "int8", "transformer", "transformer int8"])
@pytest.mark.parametrize("beam", [1, 5])
def test_a_search_finds_nothing_else(spelling_tokenizer, kind, beam):
    tokenizer, invalid = spelling_tokenizer, 0
    source, lengths = batch(tokenizer)
    spelling = Spelling.of(tokenizer)
    for seed in range(3):
        model, h = byte_lover(
            tokenizer, seed, architecture=kind.split(" ")[0].replace("int8", "rnn")
        )
        if "int8" in kind:
            model = CompressedModel(model, h)
        for limit in (1, 2, 3, 4, 7, 30):
            settings = SearchSettings(
                beam_size=beam,
                length_penalty=0.6,
                n_best=min(beam, 3),
                max_length=limit,
                with_alignment=True,
            )
            for hypotheses in search(model, source, lengths, settings, spelling):
                assert hypotheses
                for hypothesis in hypotheses:
                    assert is_utf_8(tokenizer, hypothesis.ids)
                    assert np.isfinite(hypothesis.score)
                    assert len(hypothesis.alignment) == len(hypothesis.ids) <= limit
            free = search(model, source, lengths, settings, Spelling())
            invalid += sum(not is_utf_8(tokenizer, h.ids) for found in free for h in found)
    assert invalid > 20  # what the model would have said


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_bar_on_repeats_keeps_characters_whole(spelling_tokenizer, size):
    source, lengths = batch(spelling_tokenizer)
    model, _ = byte_lover(spelling_tokenizer, 5)
    with torch.no_grad():
        model.projection.bias[EOS] = -50.0
    settings = SearchSettings(beam_size=3, max_length=150, no_repeat_ngram_size=size)
    for hypotheses in search(model, source, lengths, settings, Spelling.of(spelling_tokenizer)):
        assert is_utf_8(spelling_tokenizer, hypotheses[0].ids)


def test_what_a_stream_tells_stays(spelling_tokenizer):
    """Each partial text is the beginning of the next one, with whole characters alone."""
    model, _ = byte_lover(spelling_tokenizer, 1)
    clock = iter(range(10**6))
    scheduler = SearchScheduler(
        model, Spelling.of(spelling_tokenizer), torch.device("cpu"), clock=lambda: next(clock)
    )
    settings = SearchSettings(beam_size=1, length_penalty=0.0, max_length=40, min_length=30)
    scheduler.add(
        TranslationJob(0, tuple(spelling_tokenizer.encode_source("a cat")), settings, partial=True)
    )
    told, cut = [""], 0
    while not scheduler.is_idle:
        turn = scheduler.turn()
        assert not turn.failures
        for ids in [p.ids for p in turn.partials] + [r.hypotheses[0].ids for r in turn.results]:
            told.append(spelling_tokenizer.decode_target(ids))
            cut += not is_utf_8(spelling_tokenizer, ids)
    assert cut
    assert len(told) > 20
    assert "\ufffd" not in "".join(told)
    assert all(after.startswith(before) for before, after in pairwise(told))


def test_translations_and_their_tokens_say_the_same(spelling_tokenizer):
    model, _ = byte_lover(spelling_tokenizer, 2)
    settings = SearchSettings(beam_size=4, n_best=3, max_length=12, with_alignment=True)
    translator = Translator(model, spelling_tokenizer, settings, report=lambda _: None)
    for translation in translator.translate(["the cat", "a dog sees", "犬 \ufffd"]):
        for one in (translation, *translation.n_best):
            assert "\ufffd" not in one.text
            spelled = b"".join(
                bytes([int(t[3:5], 16)]) if t.startswith("<0x") else t.encode() for t in one.tokens
            )
            assert spelled.decode().replace("\u2581", " ").replace("<unk>", "\u2047") == one.text
            assert one.alignment.shape == (len(one.tokens), len(translation.source_tokens))


def test_a_replacement_character_of_the_text_itself_is_kept(spelling_tokenizer):
    vocabulary = spelling_tokenizer.target
    ids = vocabulary.encode("猫\ufffdが")
    assert vocabulary.decode(ids) == "猫\ufffdが"
    characters = Characters(1, Spelling.of(spelling_tokenizer))
    for number, token in enumerate(ids):
        bars = characters.bars(np.array([len(ids) - number]), may_end=True)
        line = bars.table[bars.kinds[0]]
        assert line[min(token, len(line) - 1)] == 0
        characters.grow(np.array([0]), np.array([token]))
    assert UNK not in ids
