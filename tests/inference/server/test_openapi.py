"""The description of the server: kept in docs, and what the options say."""

import json
from pathlib import Path

from longspan.inference.requests.options import Options
from longspan.inference.server.openapi import describe
from longspan.inference.server.settings import ServerSettings

ROOT = Path(__file__).parents[3]


def test_the_description_in_the_docs_is_the_servers():
    kept = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert kept == describe(), "write it anew: python -m longspan.inference.server.openapi"


def test_every_reference_leads_somewhere():
    schemas = describe()["components"]["schemas"]
    text = json.dumps(describe())
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= schemas.keys()
    assert set(Options.schemas()) <= schemas["Texts"]["properties"].keys()


def test_every_setting_is_documented_as_it_is():
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    for name, default, allowed, meaning in ServerSettings.variables():
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        value = shown.lower() if isinstance(default, bool) else shown
        cells = [cell.replace("|", "\\|") for cell in (f"`{name}`", value, allowed, meaning)]
        assert f"| {' | '.join(cells)} |" in page
