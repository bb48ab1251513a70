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

import torch

from longspan.inference.compression.compress import choose_precision, compress
from longspan.inference.requests.bodies import parse_request
from longspan.inference.requests.media_types import choose
from longspan.inference.requests.options import Profiles, check_cells
from longspan.inference.requests.request import Request
from longspan.inference.requests.responses import render
from longspan.inference.search.settings import SearchSettings
from longspan.inference.translation.answers import Answer, join
from longspan.inference.translation.parts import Limits, Part, split
from longspan.inference.translation.translations import Translation
from longspan.inference.translation.translator import Translator, choose_device
from longspan.training.model.archive import open_model
from longspan.training.model.directory import LoadedModel, load_model

__all__ = ["Prediction", "ServedModel", "input_fn", "model_fn", "output_fn", "predict_fn"]


@dataclass(frozen=True)
class ServedModel:
    """A model and how it is asked."""

    loaded: LoadedModel
    device: str
    profiles: Profiles
    limits: Limits
    language: str = "en"  # of the source: its rules say where a sentence ends


@dataclass(frozen=True)
class Prediction:
    """The answers to a request's items, in their order."""

    request: Request
    answers: tuple[Answer, ...]


def model_fn(
    model_dir: str | Path, device: str | None = None, precision: str = "auto"
) -> ServedModel:
    """Load a model directory, or the `model.tar.gz` in it; the folder is only read.

    `precision` is fp32, int8, or auto: int8 on a CPU where that is fast.

    Raises ModelDirectoryError when there is no whole model.
    """
    chosen = choose_device(device)
    with open_model(Path(model_dir)) as folder:
        loaded = load_model(folder, chosen)
    if choose_precision(precision, torch.device(chosen)) == "int8":
        compress(loaded.model, loaded.hyperparameters)
    return ServedModel(loaded, chosen, Profiles.of(loaded.hyperparameters), Limits())


def input_fn(body: bytes | str, content_type: str = "application/json") -> Request:
    """Read a request. Raises a Refusal, whose `status` is the HTTP status that it means."""
    return parse_request(body.encode() if isinstance(body, str) else body, content_type)


def predict_fn(request: Request, model: ServedModel) -> Prediction:
    """Translate. Raises a Refusal for options that this model cannot follow, or too long text."""
    tokenizer = model.loaded.tokenizer
    has_attention = model.loaded.model.has_attention
    settings = [
        model.profiles.settings(item.options, has_attention=has_attention) for item in request.items
    ]
    texts = [
        split(item.text, tokenizer, model.limits, model.language, item.options.split or "auto")
        for item in request.items
    ]
    check_cells((item.options, parts) for item, parts in zip(request.items, texts, strict=True))
    wanted = [
        (one, part) for one, parts in zip(settings, texts, strict=True) for part in parts.parts
    ]
    translations = iter(_translate(model, wanted))
    answers = [join(parts, [next(translations) for _ in parts.parts]) for parts in texts]
    return Prediction(request, tuple(answers))


def output_fn(prediction: Prediction, accept: str | None = None) -> tuple[bytes, str]:
    """The body and its media type. Raises NotAcceptable."""
    media = choose(accept, prediction.request.media)
    return render(prediction.request, prediction.answers, media), media


def _translate(
    model: ServedModel, wanted: Sequence[tuple[SearchSettings, Part]]
) -> list[Translation]:
    """The translation of each part, those of one kind of search together."""
    together: dict[SearchSettings, list[int]] = defaultdict(list)
    for number, (settings, _) in enumerate(wanted):
        together[settings].append(number)
    done: dict[int, Translation] = {}
    for settings, numbers in together.items():
        loaded = model.loaded
        translator = Translator(
            loaded.model, loaded.tokenizer, settings, model.device, report=_in_the_answer
        )
        texts = [wanted[number][1].text for number in numbers]
        done |= zip(numbers, translator.translate(texts), strict=True)
    return [done[number] for number in range(len(wanted))]


def _in_the_answer(message: str) -> None:
    """What the limit stopped is said in the answer itself."""
