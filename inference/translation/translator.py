"""Translator: lists of texts of any length, translated with one model."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from longspan.inference.accounting.examination import Question
from longspan.inference.compression.compressed_model import CompressedModel
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.search.search import SearchSettings, search
from longspan.inference.search.spelling import Spelling
from longspan.inference.translation.answers import as_translation, join_parts
from longspan.inference.translation.checks import check_translations
from longspan.inference.translation.parts import ANY_LENGTH, split_text
from longspan.inference.translation.translations import (
    BLANK,
    Candidate,
    Translation,
    read_translation,
)
from longspan.training.errors import LongspanError
from longspan.training.model.directory import load_model
from longspan.training.model.model import Model
from longspan.training.progress import Progress
from longspan.training.tokenizer.tokenizer import PAD, Tokenizer

__all__ = ["DEFAULT_BATCH_TOKENS", "Candidate", "Translation", "Translator", "choose_device"]

DEFAULT_BATCH_TOKENS = 4096
_SHOWN = 10

logger = logging.getLogger(__name__)


def choose_device(name: str | None = None) -> str:
    """Return the device called `name`, such as cpu or cuda:1; None is a GPU if there is one.

    Raises LongspanError for a device that is not there.
    """
    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    # torch without CUDA raises AssertionError for a GPU.
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise LongspanError(
            f"device {name}: expected a device of this machine, such as cpu or cuda, got: {reason}"
        ) from error
    return name


class Translator:
    """Translates lists of texts with one model.

    Texts of similar length are searched together, in batches of at most `max_batch_tokens` source
    tokens, padding counted. A longer text is a batch of its own and is never cut. `report` is
    called once for a list with the numbers of the translations that were stopped. With `check` each
    translation has an account of what it omits and says twice; with `repair` it is repaired too.
    """

    def __init__(
        self,
        model: Model | CompressedModel,
        tokenizer: Tokenizer,
        settings: SearchSettings | None = None,
        device: str | torch.device = "cpu",
        max_batch_tokens: int = DEFAULT_BATCH_TOKENS,
        report: Callable[[str], None] = logger.warning,
        *,
        check: bool = False,
        repair: bool = False,
    ) -> None:
        self.model = model.to(device)
        self.tokenizer = tokenizer
        self._spelling = Spelling.of(tokenizer)
        self.settings = settings if settings is not None else SearchSettings()
        self.device = torch.device(device)
        self.max_batch_tokens = max_batch_tokens
        self.report = report
        self.checks = check or repair
        self.repairs = repair

    @classmethod
    def open(cls, directory: str | Path, device: str | None = None, **changes: Any) -> "Translator":
        """Load a model directory and make a translator of it.

        `device` is that of `choose_device`; `changes` replace the search settings that the model
        carries, as in `SearchSettings.from_hyperparameters`. Raises ModelDirectoryError,
        HyperparameterError for a change that is not allowed, LongspanError for the device.
        """
        chosen = choose_device(device)
        loaded = load_model(directory, chosen)
        settings = SearchSettings.from_hyperparameters(loaded.hyperparameters, **changes)
        return cls(loaded.model, loaded.tokenizer, settings, chosen)

    def translate(self, texts: Sequence[str], *, label: str | None = None) -> list[Translation]:
        """Return the translation of each text, in order; a blank text has an empty one.

        With `label`, progress is shown on standard error. The model is in evaluation mode during
        the call, and afterwards in the mode that it had before.
        """
        results = self._translated(texts, label)
        self._report_unfinished(results)
        return results

    def translate_by_sentence(
        self, texts: Sequence[str], language: str, *, label: str | None = None
    ) -> list[Translation]:
        """Translate each sentence of a text on its own, and join the translations again.

        This helps models that lose their place among several sentences. Sentences end by the rules
        of `language`. A translation of several sentences has no `n_best`.
        """
        split_texts = [
            split_text(text, self.tokenizer, ANY_LENGTH, language, "sentences") for text in texts
        ]
        # One list for all texts, so that batches mix their sentences.
        sentences = [part.text for parts in split_texts for part in parts.parts]
        found = iter(self._translated(sentences, label))
        results = [
            as_translation(join_parts(parts, [next(found) for _ in parts.parts]))
            for parts in split_texts
        ]
        self._report_unfinished(results)
        return results

    def translate_ids(
        self, sources: Sequence[Sequence[int]], *, label: str | None = None
    ) -> list[Translation]:
        """Return the translation of each source of token ids, the end token last.

        As `translate`, but `report` is not called.
        """
        results = [BLANK] * len(sources)
        with _shown(label, len(sources)) as count:
            for number, found in self._searched(sources, self.settings):
                results[number] = read_translation(self.tokenizer, sources[number], found)
                count(1)
        return results

    def answer(self, questions: Sequence[Question]) -> list[Hypothesis]:
        """Return the answer to each question of an examination; see `Question`."""
        kinds: dict[tuple[SearchSettings, bool], list[int]] = {}
        for number, question in enumerate(questions):
            kind = question.settings, question.target is not None
            kinds.setdefault(kind, []).append(number)
        answers: dict[int, Hypothesis] = {}
        for (settings, _), numbers in kinds.items():
            sources = [questions[n].source for n in numbers]
            targets = [target for n in numbers if (target := questions[n].target) is not None]
            for place, found in self._searched(sources, settings, targets or None):
                answers[numbers[place]] = found[0]
        return [answers[number] for number in range(len(questions))]

    def _searched(
        self,
        sources: Sequence[Sequence[int]],
        settings: SearchSettings,
        targets: Sequence[Sequence[int]] | None = None,
    ) -> Iterator[tuple[int, list[Hypothesis]]]:
        """Yield the number and the hypotheses of each source; with `targets`, of these alone."""
        with _evaluating(self.model):
            for members in self._batches([len(ids) for ids in sources]):
                batch = self._pad([sources[i] for i in members])
                given = None if targets is None else [targets[i] for i in members]
                found = search(self.model, *batch, settings, self._spelling, given)
                yield from zip(members, found, strict=True)

    def _translated(self, texts: Sequence[str], label: str | None) -> list[Translation]:
        results = [BLANK] * len(texts)
        full = [number for number, text in enumerate(texts) if text.strip()]
        encoded = [self.tokenizer.encode_source(texts[number]) for number in full]
        found = self.translate_ids(encoded, label=label)
        if self.checks:
            found = self.check([texts[number] for number in full], found, label=label)
        for number, one in zip(full, found, strict=True):
            results[number] = one
        return results

    def check(
        self,
        texts: Sequence[str],
        translations: Sequence[Translation],
        *,
        label: str | None = None,
    ) -> list[Translation]:
        """Return the translations of `texts` with accounts, and repaired where `repairs` says so.

        No text is blank. With `label`, progress is shown on standard error.
        """
        with _shown(label and f"check: {label}", len(texts)) as count:
            return check_translations(
                texts,
                translations,
                self.tokenizer,
                self.settings,
                self.answer,
                repair=self.repairs,
                count=count,
            )

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Yield the numbers of the texts of each batch, longest first.

        The batch that needs the most memory comes first, so a lack of memory shows early.
        """
        batch: list[int] = []
        for number in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
            # The first text of a batch is its longest, to which all others are padded.
            if batch and (len(batch) + 1) * lengths[batch[0]] > self.max_batch_tokens:
                yield batch
                batch = []
            batch.append(number)
        if batch:
            yield batch

    def _pad(self, batch: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Return token ids (batch, source), padded with PAD, and lengths (batch,)."""
        lengths = [len(ids) for ids in batch]
        source = torch.full((len(batch), max(lengths)), PAD)
        for row, ids in enumerate(batch):
            source[row, : len(ids)] = torch.tensor(ids)
        return source.to(self.device), torch.tensor(lengths, device=self.device)

    def _report_unfinished(self, results: Sequence[Translation]) -> None:
        looping = [number for number, result in enumerate(results, 1) if result.looping]
        cut = [
            n for n, result in enumerate(results, 1) if not result.finished and not result.looping
        ]
        if cut:
            self.report(
                f"{len(cut)} of {len(results)} translations were stopped at the length limit, "
                f"unfinished: text {_some(cut)}; a larger max_length_factor allows longer ones"
            )
        if looping:
            self.report(
                f"{len(looping)} of {len(results)} translations repeated themselves and were "
                f"stopped: text {_some(looping)}; `longspan diagnose` says what to do"
            )


def _some(numbers: Sequence[int]) -> str:
    more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
    return ", ".join(map(str, numbers[:_SHOWN])) + more


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    if not model.training:
        yield  # `eval` visits every layer, which takes longer than some translations
        return
    model.eval()
    try:
        yield
    finally:
        model.train()


@contextmanager
def _shown(label: str | None, total: int) -> Iterator[Callable[[int], None]]:
    if label is None:
        yield lambda _: None
        return
    with Progress(total, "sentence", label) as progress:
        yield progress.add
