"""`GreedySearch`, which is in `search.py`."""

import torch

from longspan.inference.search.search import GreedySearch
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.model.model import Model
from longspan.training.tokenizer.tokenizer import BOS, EOS, Tokenizer, WordVocabulary

WORDS = WordVocabulary(["<pad>", "<unk>", "<s>", "</s>", *(f"w{i}" for i in range(8))])


def test_each_token_is_the_likeliest_whatever_the_batch():
    h = Hyperparameters(
        rnn_num_hidden=8, num_embed_source=8, num_embed_target=8, attention_dimension=8
    )
    torch.manual_seed(3)
    model = Model(h, 12, 12).eval()
    greedy = GreedySearch(Tokenizer(WORDS, WORDS), 2.5)
    sources = [[5, 6, 7, EOS], [9, EOS], [4, 4, 8, 10, 11, EOS]]
    found = greedy(model, sources)
    assert found == [greedy(model, [source])[0] for source in sources]
    for source, ids in zip(sources, found, strict=True):
        memory = model.encode(torch.tensor([source]), torch.tensor([len(source)]))
        state, previous = model.initial_state(memory), BOS
        for token in ids:
            logits, state, _ = model.step(torch.tensor([previous]), state, memory)
            assert logits.argmax().item() == token
            previous = token
