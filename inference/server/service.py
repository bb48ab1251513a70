"""The service: a request to its answers, by the workers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from longspan.inference.requests.options import Profiles, check_cells
from longspan.inference.requests.request import Item, Request
from longspan.inference.search.settings import SearchSettings
from longspan.inference.translation.answers import Answer, join
from longspan.inference.translation.parts import Limits, Part, Parts, split
from longspan.inference.translation.translations import Translation, read
from longspan.inference.workers.child import OnPartial
from longspan.inference.workers.metrics import Metrics
from longspan.inference.workers.pool import Pool
from longspan.training.tokenizer.tokenizer import Tokenizer

__all__ = ["Plan", "Service", "Timing"]

# Parts of one request that are with the workers at a time, so that a request of thousands of
# texts leaves room for others.
_WINDOW = 128
# Characters beyond which a request is read in a thread, and does not hold up the others.
_LONG = 4000
# Texts beyond which their answers are put together in one.
_MANY = 100

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


@dataclass
class Timing:
    """What one request took, for its log line."""

    waited: float = 0.0  # seconds, of the part that waited longest
    worked: float = 0.0
    together: int = 0
    parts: int = 0
    source_tokens: int = 0
    target_tokens: int = 0


@dataclass(frozen=True)
class Plan:
    """One item, ready to be translated."""

    item: Item
    parts: Parts
    settings: SearchSettings
    delay: float


@dataclass(frozen=True)
class Service:
    """Translates requests for one model."""

    pool: Pool
    tokenizer: Tokenizer
    profiles: Profiles
    has_attention: bool
    metrics: Metrics
    limits: Limits = field(default_factory=Limits)
    language: str = "en"
    split: str = "auto"  # of requests that do not say
    delay: float = 0.0  # seconds that a part of profile quality may wait for others

    async def plan(self, request: Request) -> list[Plan]:
        """Check everything before anything is translated. Raises BadRequest, TooLong."""
        if sum(len(item.text) for item in request.items) > _LONG:
            return await asyncio.to_thread(self._plans, request)
        return self._plans(request)

    async def answers(self, plans: Sequence[Plan], timing: Timing) -> list[Answer]:
        """The answer to each. Raises Unavailable, ModelFailed; cancelling it ends the work."""
        wanted = [(plan, part) for plan in plans for part in plan.parts.parts]

        async def one(pair: tuple[Plan, Part]) -> Translation:
            return await self._translate(*pair, timing)

        done = iter(await _each(wanted, one))

        def joined() -> list[Answer]:
            return [self._join(plan, [next(done) for _ in plan.parts.parts]) for plan in plans]

        return await asyncio.to_thread(joined) if len(plans) > _MANY else joined()

    async def stream(self, plan: Plan, timing: Timing, on_text: Callable[[str], None]) -> Answer:
        """The answer to one; meanwhile `on_text` is told what there is of it.

        That grows with every part, and within a part too when the search is greedy.
        """
        pieces: list[str] = [""] * len(plan.parts.parts)
        complete = [False] * len(pieces)
        told = ""

        def tell() -> None:
            nonlocal told
            first_open = complete.index(False) if False in complete else len(pieces)
            shown = pieces[: first_open + 1]
            joints = [part.joint for part in plan.parts.parts]
            text = "".join(
                piece + (joints[i] if complete[i] else "") for i, piece in enumerate(shown)
            )
            if text != told:
                told = text
                on_text(plan.parts.before + text)

        async def one(pair: tuple[int, Part]) -> Translation:
            number, part = pair

            def on_partial(ids: list[int]) -> None:
                pieces[number] = self.tokenizer.decode_target(ids)
                tell()

            greedy = plan.settings.beam_size == 1
            translation = await self._translate(plan, part, timing, on_partial if greedy else None)
            pieces[number], complete[number] = translation.text, True
            tell()
            return translation

        return self._join(plan, await _each(list(enumerate(plan.parts.parts)), one))

    def _plans(self, request: Request) -> list[Plan]:
        plans = [self._plan(item) for item in request.items]
        check_cells((plan.item.options, plan.parts) for plan in plans)
        return plans

    def _plan(self, item: Item) -> Plan:
        settings = self.profiles.settings(item.options, has_attention=self.has_attention)
        how = item.options.split or self.split
        parts = split(item.text, self.tokenizer, self.limits, self.language, how)
        fast = (item.options.profile or self.profiles.default) == "fast"
        return Plan(item, parts, settings, 0.0 if fast else self.delay)

    def _join(self, plan: Plan, translations: Sequence[Translation]) -> Answer:
        answer = join(plan.parts, translations)
        self.metrics.texts.inc()
        self.metrics.split.inc(bool(answer.at))
        self.metrics.unfinished.inc(not answer.finished)
        self.metrics.looping.inc(answer.looping)
        return answer

    async def _translate(
        self, plan: Plan, part: Part, timing: Timing, on_partial: OnPartial | None = None
    ) -> Translation:
        result = await self.pool.translate(part.ids, plan.settings, plan.delay, on_partial)
        translation = read(self.tokenizer, part.ids, result.hypotheses)
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


async def _each(
    items: Sequence[ItemT], work: Callable[[ItemT], Awaitable[ResultT]]
) -> list[ResultT]:
    """The result for each, in order, so many at a time; the first error ends the others."""
    if len(items) == 1:
        return [await work(items[0])]
    results: dict[int, ResultT] = {}
    rest = iter(enumerate(items))

    async def take(numbered: Iterable[tuple[int, ItemT]]) -> None:
        for number, item in numbered:
            results[number] = await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_WINDOW, len(items))):
                group.create_task(take(rest))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [results[number] for number in range(len(items))]
