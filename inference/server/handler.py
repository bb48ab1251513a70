"""SageMaker's four handler functions, usable alone, without the server.

    model = model_fn("runs/sample/model")
    request = input_fn('{"text": "The red book is on the table."}', "application/json")
    body, content_type = output_fn(predict_fn(request, model), "application/json")

https://docs.aws.amazon.com/sagemaker/latest/dg/adapt-inference-container.html
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from longspan.inference.requests.bodies import parse_request
from longspan.inference.requests.media_types import choose
from longspan.inference.requests.options import Profiles
from longspan.inference.requests.planning import PlannedItem, Planner, join_answers
from longspan.inference.requests.request import Request
from longspan.inference.requests.responses import render
from longspan.inference.search.settings import SearchSettings
from longspan.inference.translation.answers import Answer
from longspan.inference.translation.ready_model import ReadyModel, load_ready
from longspan.inference.translation.translations import Translation
from longspan.inference.translation.translator import Translator
from longspan.training.model.archive import open_model

__all__ = ["Prediction", "ServedModel", "input_fn", "model_fn", "output_fn", "predict_fn"]


@dataclass(frozen=True)
class ServedModel:
    """A model, and the planner of its requests."""

    ready: ReadyModel
    planner: Planner


@dataclass(frozen=True)
class Prediction:
    """The answers to a request's items, in their order."""

    request: Request
    answers: tuple[Answer, ...]


def model_fn(
    model_dir: str | Path, device: str | None = None, precision: str = "auto"
) -> ServedModel:
    """Load a model directory, or the `model.tar.gz` in it; the folder is only read.

    `precision` is fp32, int8, or auto: int8 on a CPU that is fast at it. Raises
    ModelDirectoryError for a folder without a whole model.
    """
    with open_model(Path(model_dir)) as folder:
        ready = load_ready(folder, device, precision)
    profiles = Profiles.of(ready.hyperparameters)
    return ServedModel(ready, Planner(ready.tokenizer, profiles, ready.model.has_attention))


def input_fn(body: bytes | str, content_type: str = "application/json") -> Request:
    """Read a request. Raises a Refusal, whose `status` is the HTTP status for it."""
    return parse_request(body.encode() if isinstance(body, str) else body, content_type)


def predict_fn(request: Request, model: ServedModel) -> Prediction:
    """Translate a request.

    Raises BadRequest for options that this model cannot follow, TooLong for a text beyond the
    limits.
    """
    planned = model.planner.plan(request)
    answers = join_answers(planned, iter(_translate(model.ready, planned)))
    return Prediction(request, tuple(answers))


def output_fn(prediction: Prediction, accept: str | None = None) -> tuple[bytes, str]:
    """Return the body and its media type.

    Raises NotAcceptable where `accept` names no media type that is known.
    """
    media = choose(accept, prediction.request.media)
    return render(prediction.request, prediction.answers, media), media


def _translate(ready: ReadyModel, planned: Sequence[PlannedItem]) -> list[Translation]:
    """Return the translation of each part; parts of equal settings are searched together."""
    parts = [part for one in planned for part in one.parts.parts]
    # By settings, since a search has one beam and one set of penalties for all its rows.
    together: dict[tuple[SearchSettings, bool, bool], list[int]] = defaultdict(list)
    owners = [one for one in planned for _ in one.parts.parts]
    for number, owner in enumerate(owners):
        options = owner.item.options
        together[owner.settings, options.checks, bool(options.repair)].append(number)
    done: dict[int, Translation] = {}
    for (settings, checks, repairs), numbers in together.items():
        translator = Translator(
            ready.model, ready.tokenizer, settings, ready.device, check=checks, repair=repairs
        )
        found = translator.translate_ids([parts[number].ids for number in numbers])
        if checks:
            found = translator.check([parts[number].text for number in numbers], found)
        done |= zip(numbers, found, strict=True)
    return [done[number] for number in range(len(parts))]
