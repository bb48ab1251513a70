"""The diagnosis of a model on test pairs: translate with alignments, measure, report findings.

A composition root: it joins `inference` to the measures, which know nothing of models.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from longspan.inference.diagnosis.diagnosis import Diagnosis, Lengths, diagnose
from longspan.inference.diagnosis.symptoms import Symptoms, symptoms
from longspan.inference.evaluation.evaluate import read_test
from longspan.inference.search.search import SearchSettings
from longspan.inference.translation.translator import Translation, Translator, choose_device
from longspan.training.errors import ModelDirectoryError
from longspan.training.hyperparameters import Hyperparameters
from longspan.training.lengths import count_words
from longspan.training.model.config import CONFIG
from longspan.training.model.directory import load_model
from longspan.training.pairs.columns import Columns
from longspan.training.pairs.pairs import Pair
from longspan.training.scores import chrf_of, statistics
from longspan.training.tables import align_rows
from longspan.training.tokenizer.tokenizer import Tokenizer
from longspan.training.values import Count, JsonDocument

__all__ = ["Diagnosed", "diagnose_model", "diagnose_pairs", "render_diagnosis", "to_json"]

_SHOWN = 400  # characters of an example


class _LongestExample(JsonDocument):
    source: Count
    target: Count


class _Details(JsonDocument):
    longest_example: _LongestExample


@dataclass(frozen=True)
class Diagnosed:
    """A diagnosis with its data."""

    diagnosis: Diagnosis
    pairs: Sequence[Pair]
    translations: Sequence[Translation]
    segments: Sequence[Symptoms]
    unread: Sequence[Sequence[str]]  # stretches of each source that no output attended to


def diagnose_model(
    model: str,
    test: Sequence[str],
    *,
    columns: Columns | None = None,
    format: str | None = None,
    search: Mapping[str, Any] | None = None,
    batch_tokens: int = 4096,
    device: str | None = None,
) -> Diagnosed:
    """Translate a test and diagnose the model from the translations and their alignments.

    Raises DataError for a test that cannot be used, ModelDirectoryError for such a model.
    """
    pairs = read_test(test, columns, format)
    device = choose_device(device)
    loaded = load_model(model, device)
    settings = SearchSettings.from_hyperparameters(
        loaded.hyperparameters, **dict(search or {}), with_alignment=True
    )
    translator = Translator(loaded.model, loaded.tokenizer, settings, device, batch_tokens)
    trained = _longest_example(model, loaded.config.details)
    return diagnose_pairs(translator, pairs, trained, loaded.hyperparameters)


def diagnose_pairs(
    translator: Translator,
    pairs: Sequence[Pair],
    trained: Lengths,
    hyperparameters: Hyperparameters,
) -> Diagnosed:
    """Diagnose the model of a translator that returns alignments.

    `trained` are the lengths of its training examples, `hyperparameters` those of its training.
    """
    translations = translator.translate([pair.source for pair in pairs], label="translate")
    texts = [translation.text for translation in translations]
    counts = statistics(texts, [pair.target for pair in pairs], "none").chrf
    segments = [
        _symptoms(pair, translation, translator.tokenizer, chrf_of(row))
        for pair, translation, row in zip(pairs, translations, counts, strict=True)
    ]
    # The advice depends on the penalties of this search, which may differ from the model's own.
    searched = hyperparameters.replace(
        length_penalty=translator.settings.length_penalty,
        coverage_penalty=translator.settings.coverage_penalty,
        no_repeat_ngram_size=translator.settings.no_repeat_ngram_size,
    )
    found = diagnose(segments, trained, searched)
    unread = [
        _unread(pair, one, translator.tokenizer) for pair, one in zip(pairs, segments, strict=True)
    ]
    return Diagnosed(found, pairs, translations, segments, unread)


def render_diagnosis(done: Diagnosed) -> str:
    """Return a text for a terminal: figures, then each finding with advice and an example."""
    diagnosis = done.diagnosis
    lines = [f"medium: {diagnosis.medium}", f"long:   {diagnosis.long}", ""]
    rows = [
        [name, _number(medium), _number(long)]
        for name, (medium, long) in diagnosis.measures.items()
    ]
    lines += align_rows([["", "medium", "long"], *rows], least=(0, 8))
    if not diagnosis.findings:
        return "\n".join([*lines, "", "nothing is wrong on long segments that these figures show"])
    for number, finding in enumerate(diagnosis.findings, 1):
        lines += ["", f"{number}. {finding.evidence}"]
        lines += [f"   try: {text}" for text in finding.advice]
        if finding.examples:
            lines += _example(done, finding.examples[0])
    return "\n".join(lines)


def to_json(done: Diagnosed) -> str:
    """Return figures, findings, and the segments that the findings name, as JSON."""
    diagnosis = done.diagnosis
    named = sorted({number for f in diagnosis.findings for number in f.examples})
    document = {
        **asdict(diagnosis),
        "segments": {
            number: {
                "source": done.pairs[number].source,
                "reference": done.pairs[number].target,
                "translation": done.translations[number].text,
                **asdict(done.segments[number]),
                "unread": list(done.unread[number]),
            }
            for number in named
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _longest_example(model: str, details: Mapping[str, Any]) -> Lengths:
    """Return the lengths of the longest training example; models of earlier versions have none.

    Raises ModelDirectoryError for a damaged description.
    """
    if "longest_example" not in details:
        return Lengths()
    try:
        longest = _Details.read(details).longest_example
        return Lengths(longest.source, longest.target)
    except ValueError as error:
        raise ModelDirectoryError(
            f"{Path(model) / CONFIG}: expected a model's description: details.{error}; copy the "
            "model again"
        ) from error


def _symptoms(
    pair: Pair, translation: Translation, tokenizer: Tokenizer, quality: float
) -> Symptoms:
    reference = tokenizer.target.pieces(tokenizer.encode_target(pair.target)[:-1])
    return symptoms(
        count_words(pair.source),
        len(translation.source_tokens),
        translation.tokens,
        reference,
        finished=translation.finished,
        looping=translation.looping,
        alignment=translation.alignment,
        quality=quality,
    )


def _example(done: Diagnosed, number: int) -> list[str]:
    texts = [
        ("source", done.pairs[number].source),
        ("reference", done.pairs[number].target),
        ("translation", done.translations[number].text),
    ]
    if done.unread[number]:
        texts.append(("not read", " | ".join(done.unread[number])))
    lines = [f"   segment {number + 1}, {done.segments[number].words} words"]
    return lines + [f"     {label}: {_short(text)}" for label, text in texts]


def _unread(pair: Pair, segment: Symptoms, tokenizer: Tokenizer) -> list[str]:
    if not segment.stretches:
        return []
    ids = tokenizer.encode_source(pair.source)
    return [tokenizer.source.decode(ids[a:b]).strip() for a, b in segment.stretches]


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
