"""From a model to translations: search, serving, evaluation, diagnosis.

It imports `training`. The names below are its public interface (docs/api.md).
"""

from typing import TYPE_CHECKING

from longspan.training.exports import lazy_exports

if TYPE_CHECKING:
    from longspan.inference.compression.products import has_native_kernels
    from longspan.inference.diagnosis.diagnose import diagnose_model, render_diagnosis
    from longspan.inference.evaluation.evaluate import EvaluationJob, evaluate
    from longspan.inference.evaluation.table import render_table
    from longspan.inference.search.settings import SearchSettings
    from longspan.inference.translation.translations import Translation
    from longspan.inference.translation.translator import Translator
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "compression.products": ["has_native_kernels"],
            "diagnosis.diagnose": ["diagnose_model", "render_diagnosis"],
            "evaluation.evaluate": ["EvaluationJob", "evaluate"],
            "evaluation.table": ["render_table"],
            "search.settings": ["SearchSettings"],
            "translation.translations": ["Translation"],
            "translation.translator": ["Translator"],
        },
    )

__all__ = [
    "EvaluationJob",
    "SearchSettings",
    "Translation",
    "Translator",
    "diagnose_model",
    "evaluate",
    "has_native_kernels",
    "render_diagnosis",
    "render_table",
]
