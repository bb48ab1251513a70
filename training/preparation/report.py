"""The report that `longspan prepare` prints: pairs, removals by rule, lengths by bucket."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longspan.training.tables import align_rows

__all__ = ["next_command", "prepare_summary"]


def prepare_summary(manifest: Mapping[str, Any]) -> str:
    """Return three small tables of a prepared corpus."""
    return "\n\n".join((_pairs(manifest), _removed(manifest), _lengths(manifest)))


def next_command(directory: Path) -> str:
    """Return the command that trains on the directory."""
    model = directory.with_name(directory.name + "-model")
    return f"longspan train {shlex.quote(str(directory))} --out {shlex.quote(str(model))}"


def _pairs(manifest: Mapping[str, Any]) -> str:
    pairs, tokenizer = manifest["pairs"], manifest["tokenizer"]
    rows = [["read", f"{pairs['read']:,}", ""], ["removed", f"{pairs['removed']:,}", ""]]
    rows.append(["train", f"{pairs['train']:,}", ""])
    for name, held_out in manifest["held_out"].items():
        joined = sum(held_out["joined"].values())
        origin = "drawn" if held_out["drawn"] else "given"
        extra = f", {joined:,} of them joined from neighbours" if joined else ""
        rows.append([name, f"{pairs[name]:,}", origin + extra])
    for side in ("source", "target"):
        unknown = manifest["splits"]["train"]["unknown_tokens"][side]
        note = f"tokens, {unknown:,} unknown in train" if unknown else "tokens"
        rows.append([f"{side} vocabulary", f"{tokenizer[f'{side}_size']:,}", note])
    return "\n".join(align_rows([["pairs", "", ""], *rows], "<><"))


def _removed(manifest: Mapping[str, Any]) -> str:
    rows = []
    for rule, taken in manifest["removed"].items():
        first = taken["examples"][0]["origin"] if taken["examples"] else ""
        rows.append([rule, f"{taken['pairs']:,}", first])
    return "\n".join(align_rows([["removed by", "pairs", "first"], *rows], "<><"))


def _lengths(manifest: Mapping[str, Any]) -> str:
    splits = manifest["splits"]
    rows = []
    for bucket, train in splits["train"]["lengths"].items():
        row = [bucket] + [f"{split['lengths'][bucket]['pairs']:,}" for split in splits.values()]
        for side in ("source", "target"):
            mean = train[side]["tokens"]["mean"]
            row.append("-" if mean is None else f"{mean:.1f}")
        ratio = train["target_per_source"]["tokens"]
        rows.append([*row, "-" if ratio is None else f"{ratio:.2f}"])
    head = ["source words", *splits, "source tokens", "target tokens", "ratio"]
    return "\n".join(align_rows([head, *rows]))
