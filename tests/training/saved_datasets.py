"""Folders as `save_to_disk` of the library `datasets` (4.0) writes them, written with pyarrow."""

import json
from pathlib import Path

import pyarrow
from pyarrow import ipc

__all__ = ["save_dataset", "save_dataset_dict"]


def save_dataset(folder: Path, rows, *, shards=1, batch=3, **state) -> Path:
    """Write rows, dicts with strings or dicts of strings, as a saved Dataset of several shards."""
    folder.mkdir(parents=True)
    table = pyarrow.Table.from_pylist(rows)
    features = {name: _feature(table.schema.field(name).type) for name in table.column_names}
    # The library keeps its types in the metadata of the schema.
    metadata = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    schema = table.schema.with_metadata(metadata)
    files = []
    for number in range(shards):
        name = f"data-{number:05}-of-{shards:05}.arrow"
        start, end = (len(rows) * n // shards for n in (number, number + 1))
        with ipc.new_stream(str(folder / name), schema) as writer:
            writer.write_table(table.slice(start, end - start).cast(schema), batch)
        files.append({"filename": name})
    content = {
        "_data_files": files,
        "_fingerprint": "0123456789abcdef",
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }
    (folder / "state.json").write_text(json.dumps(content | state, indent=2, sort_keys=True))
    info = {"citation": "", "description": "", "features": features, "homepage": "", "license": ""}
    (folder / "dataset_info.json").write_text(json.dumps(info, indent=2, sort_keys=True))
    return folder


def save_dataset_dict(folder: Path, splits, **options) -> Path:
    """Write a saved DatasetDict of rows by the name of the split."""
    folder.mkdir(parents=True)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": list(splits)}))
    for name, rows in splits.items():
        save_dataset(folder / name, rows, **options)
    return folder


def _feature(kind):
    if pyarrow.types.is_struct(kind):
        # The library's Translation type.
        return {"languages": sorted(field.name for field in kind), "_type": "Translation"}
    return {"dtype": str(kind), "_type": "Value"}
