"""Training a model: pairs of text, tokenizer, corpus, network and training loop.

The modules beside the folders are what several of them use. This package imports neither
`inference` nor `pipelines` nor `infra`.
The names below are its public interface (docs/api.md).
"""

from typing import TYPE_CHECKING

from longspan.training.exports import lazy_exports

if TYPE_CHECKING:
    from longspan.training.corpus.prepared import Prepared
    from longspan.training.errors import DataError, HyperparameterError, LongspanError
    from longspan.training.hyperparameters import Hyperparameters
    from longspan.training.model.directory import LoadedModel, load_model
    from longspan.training.pairs.columns import Columns
    from longspan.training.pairs.pairs import Pair, read_pairs
    from longspan.training.preparation.prepare import prepare
    from longspan.training.preparation.settings import PrepareSettings
    from longspan.training.preparation.splits import TEST, VALIDATION
    from longspan.training.sample.directory import write_sample
    from longspan.training.sample.generator import SampleSettings
    from longspan.training.tokenizer.settings import VocabularySettings
    from longspan.training.tokenizer.tokenizer import Tokenizer
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "corpus.prepared": ["Prepared"],
            "errors": ["DataError", "HyperparameterError", "LongspanError"],
            "hyperparameters": ["Hyperparameters"],
            "model.directory": ["LoadedModel", "load_model"],
            "pairs.columns": ["Columns"],
            "pairs.pairs": ["Pair", "read_pairs"],
            "preparation.prepare": ["prepare"],
            "preparation.settings": ["PrepareSettings"],
            "preparation.splits": ["TEST", "VALIDATION"],
            "sample.directory": ["write_sample"],
            "sample.generator": ["SampleSettings"],
            "tokenizer.tokenizer": ["Tokenizer"],
            "tokenizer.settings": ["VocabularySettings"],
        },
    )

__all__ = [
    "TEST",
    "VALIDATION",
    "Columns",
    "DataError",
    "HyperparameterError",
    "Hyperparameters",
    "LoadedModel",
    "LongspanError",
    "Pair",
    "PrepareSettings",
    "Prepared",
    "SampleSettings",
    "Tokenizer",
    "VocabularySettings",
    "load_model",
    "prepare",
    "read_pairs",
    "write_sample",
]
