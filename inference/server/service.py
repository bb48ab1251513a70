"""The translation service: the answers to a request, by the workers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from longspan.inference.requests.planning import PlannedItem, Planner, join_answers
from longspan.inference.requests.request import Request
from longspan.inference.search.hypothesis import Hypothesis
from longspan.inference.translation.answers import Answer
from longspan.inference.translation.parts import Part
from longspan.inference.translation.translations import (
    Translation,
    read_translation,
    with_account,
)
from longspan.inference.workers.metrics import ServerMetrics
from longspan.inference.workers.pool import WorkerPool
from longspan.inference.workers.worker_process import OnPartial

if TYPE_CHECKING:
    from longspan.inference.accounting.examination import Question
    from longspan.inference.accounting.repair import Accounted

__all__ = ["Timing", "TranslationService"]

# Parts of one request that the workers have at a time, so that a request of thousands of texts
# leaves room for others.
_WINDOW = 128
# A request of more characters is planned in a thread: others do not wait.
_LONG = 4000
# The answers of more texts are joined in a thread.
_MANY = 100

_ItemT = TypeVar("_ItemT")
_ResultT = TypeVar("_ResultT")


@dataclass
class Timing:
    """Times and counts of one request, for its log line."""

    waited: float = 0.0  # seconds; all three are the largest of all parts
    worked: float = 0.0
    together: int = 0
    parts: int = 0
    source_tokens: int = 0
    target_tokens: int = 0


@dataclass(frozen=True)
class TranslationService:
    """Translates requests for one model, by its workers.

    `delay` is how many seconds a part of profile quality may wait for others to be searched with.
    """

    planner: Planner
    pool: WorkerPool
    metrics: ServerMetrics
    delay: float = 0.0

    async def plan(self, request: Request) -> list[PlannedItem]:
        """Plan a request, see `Planner.plan`; a long one is planned in a thread."""
        if sum(len(item.text) for item in request.items) > _LONG:
            return await asyncio.to_thread(self.planner.plan, request)
        return self.planner.plan(request)

    async def answers(self, planned: Sequence[PlannedItem], timing: Timing) -> list[Answer]:
        """Return the answer to each item; cancelling the call ends the work on it.

        Raises Unavailable when the worker ends, ModelFailed when the model breaks on a text.
        """
        wanted = [(one, part) for one in planned for part in one.parts.parts]

        async def translate(pair: tuple[PlannedItem, Part]) -> Translation:
            return await self._translate(*pair, timing)

        translations = iter(await _each(wanted, translate))
        if len(planned) > _MANY:
            answers = await asyncio.to_thread(join_answers, planned, translations)
        else:
            answers = join_answers(planned, translations)
        for answer in answers:
            self._count(answer)
        return answers

    async def stream(
        self, planned: PlannedItem, timing: Timing, on_text: Callable[[str], None]
    ) -> Answer:
        """Return the answer to one item; meanwhile call `on_text` with its text until now.

        The text grows with every part, and within a part too where the search is greedy.
        """
        pieces: list[str] = [""] * len(planned.parts.parts)
        complete = [False] * len(pieces)
        told = ""

        def tell() -> None:
            nonlocal told
            # Parts may end in any order; the text is shown up to the first one that is still open.
            first_open = complete.index(False) if False in complete else len(pieces)
            shown = pieces[: first_open + 1]
            joints = [part.joint for part in planned.parts.parts]
            text = "".join(
                piece + (joints[i] if complete[i] else "") for i, piece in enumerate(shown)
            )
            if text != told:
                told = text
                on_text(planned.parts.before + text)

        async def one(pair: tuple[int, Part]) -> Translation:
            number, part = pair

            def on_partial(ids: list[int]) -> None:
                pieces[number] = self.planner.tokenizer.decode_target(ids)
                tell()

            greedy = planned.settings.beam_size == 1
            translation = await self._translate(
                planned, part, timing, on_partial if greedy else None
            )
            pieces[number], complete[number] = translation.text, True
            tell()
            return translation

        translations = await _each(list(enumerate(planned.parts.parts)), one)
        [answer] = join_answers([planned], iter(translations))
        self._count(answer)
        return answer

    def _count(self, answer: Answer) -> None:
        self.metrics.texts.inc()
        self.metrics.split.inc(bool(answer.at))
        self.metrics.unfinished.inc(not answer.finished)
        self.metrics.looping.inc(answer.looping)

    async def _translate(
        self, planned: PlannedItem, part: Part, timing: Timing, on_partial: OnPartial | None = None
    ) -> Translation:
        delay = 0.0 if planned.profile == "fast" else self.delay
        result = await self.pool.translate(part.ids, planned.settings, delay, on_partial)
        translation = read_translation(self.planner.tokenizer, part.ids, result.hypotheses)
        if planned.item.options.checks:
            translation = await self._check(planned, part, translation)
        timing.parts += 1
        timing.waited = max(timing.waited, result.waited)
        timing.worked = max(timing.worked, result.worked)
        timing.together = max(timing.together, result.together)
        timing.source_tokens += len(part.ids)
        timing.target_tokens += len(translation.tokens)
        self.metrics.waiting_seconds.observe(result.waited)
        self.metrics.together.observe(result.together)
        self.metrics.source_tokens.inc(len(part.ids))
        self.metrics.target_tokens.inc(len(translation.tokens))
        return translation

    async def _check(
        self, planned: PlannedItem, part: Part, translation: Translation
    ) -> Translation:
        """Return a part's translation with its account, and repaired where the item asks for it."""
        from longspan.inference.accounting.repair import account_for  # imports numpy

        async def answer(question: "Question") -> Hypothesis:
            result = await self.pool.translate(
                question.source, question.settings, target=question.target
            )
            return result.hypotheses[0]

        examination = account_for(
            self.planner.tokenizer,
            part.text,
            translation.ids,
            planned.settings,
            repair=bool(planned.item.options.repair),
        )
        questions = next(examination)
        try:
            while True:
                questions = examination.send(await _each(questions, answer))
        except StopIteration as end:
            found: Accounted = end.value
        return with_account(self.planner.tokenizer, translation, found.account, found.repaired)


async def _each(
    items: Sequence[_ItemT], work: Callable[[_ItemT], Awaitable[_ResultT]]
) -> list[_ResultT]:
    """Return the result for each item, in order; at most `_WINDOW` run at a time.

    The first error ends the others.
    """
    if len(items) == 1:
        return [await work(items[0])]
    results: dict[int, _ResultT] = {}
    # All tasks take from one iterator: each item is worked on once, by the first free task.
    rest = iter(enumerate(items))

    async def take(numbered: Iterable[tuple[int, _ItemT]]) -> None:
        for number, item in numbered:
            results[number] = await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_WINDOW, len(items))):
                group.create_task(take(rest))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [results[number] for number in range(len(items))]
