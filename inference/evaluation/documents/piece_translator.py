"""Translation of the pieces of documents: each text once, and remembered.

The same sentence is in a group, in a document that is split, and often in a row. What was
translated is also kept in a file, so that an evaluation that was stopped goes on where it was.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from longspan.inference.evaluation.documents.output import PieceOutput
from longspan.inference.evaluation.documents.pieces import PieceUnit, TestDocuments
from longspan.inference.translation.parts import ANY_LENGTH, SplitText, split_text
from longspan.inference.translation.translator import Translator
from longspan.training.files import write_atomically
from longspan.training.lengths import count_words
from longspan.training.progress import Progress
from longspan.training.values import JsonDocument

__all__ = ["PieceTranslator"]

# Source characters that are translated before the file is written again: a minute at most.
_AT_A_TIME = 40_000


class _Line(JsonDocument):
    """A line of the file, after the first one."""

    source: str
    text: str
    finished: bool
    looping: bool


class PieceTranslator:
    """Translates pieces, whole or by sentence.

    `known` are outputs from elsewhere. `path` is the file of outputs; `origin` names model and
    search, and the outputs of a file with another origin are not used.
    """

    def __init__(
        self,
        translator: Translator,
        language: str,
        path: Path,
        origin: str,
        known: Mapping[str, PieceOutput],
    ) -> None:
        self._translator = translator
        self._language = language
        self._path = path
        self._kept = _read(path, origin)
        self._outputs = {**self._kept, **known}
        self._origin = origin

    def translate(
        self, documents: TestDocuments, units: Sequence[PieceUnit]
    ) -> tuple[list[list[PieceOutput]], list[list[PieceOutput]]]:
        """Return the outputs of each unit's pieces, in one piece and split by sentences.

        Raises OSError when the file cannot be written.
        """
        sources = [[documents.source(piece) for piece in unit.pieces] for unit in units]
        split = [[self._split(source) for source in texts] for texts in sources]
        wanted = dict.fromkeys(source for texts in sources for source in texts)
        wanted |= dict.fromkeys(
            part.text for texts in split for parts in texts for part in parts.parts
        )
        self._complete(list(wanted))
        whole = [[self._outputs[source] for source in texts] for texts in sources]
        return whole, [[self._joined(parts) for parts in texts] for texts in split]

    def _split(self, source: str) -> SplitText:
        tokenizer = self._translator.tokenizer
        return split_text(source, tokenizer, ANY_LENGTH, self._language, "sentences")

    def _joined(self, parts: SplitText) -> PieceOutput:
        outputs = [self._outputs[part.text] for part in parts.parts]
        texts = [o.text + part.joint for o, part in zip(outputs, parts.parts, strict=True)]
        return PieceOutput(
            parts.before + "".join(texts),
            finished=all(output.finished for output in outputs),
            looping=any(output.looping for output in outputs),
        )

    def _complete(self, texts: Sequence[str]) -> None:
        """Translate the texts that have no output yet, shortest first, and append them."""
        left = sorted((text for text in texts if text not in self._outputs), key=len)
        # Written again, because a kill may have left half a line at its end.
        kept = (_line(source, output) for source, output in self._kept.items())
        head = json.dumps({"origin": self._origin}) + "\n"
        write_atomically(self._path, "".join([head, *kept]).encode())
        words = sum(map(count_words, left))
        with (
            self._path.open("a", encoding="utf-8") as file,
            Progress(words, "word", "translate documents") as progress,
        ):
            for chunk in _chunks(left):
                for text, found in zip(chunk, self._translator.translate(chunk), strict=True):
                    output = PieceOutput(found.text, found.finished, found.looping)
                    self._outputs[text] = output
                    file.write(_line(text, output))
                file.flush()
                progress.add(sum(map(count_words, chunk)))


def _chunks(texts: Sequence[str]) -> list[list[str]]:
    chunks: list[list[str]] = []
    size = _AT_A_TIME
    for text in texts:
        if size + len(text) > _AT_A_TIME:
            chunks.append([])
            size = 0
        chunks[-1].append(text)
        size += len(text)
    return chunks


def _line(source: str, output: PieceOutput) -> str:
    return json.dumps({"source": source, **asdict(output)}) + "\n"


def _read(path: Path, origin: str) -> dict[str, PieceOutput]:
    """Return the outputs of a file; none if it is of another origin or there is none.

    A line that is damaged, as a kill leaves it, ends the reading.
    """
    if not path.exists():
        return {}
    head, *lines = path.read_bytes().split(b"\n")
    outputs = {}
    try:
        if json.loads(head) != {"origin": origin}:
            return {}
        for line in lines:
            found = _Line.parse(line)
            outputs[found.source] = PieceOutput(found.text, found.finished, found.looping)
    except ValueError:
        pass
    return outputs
