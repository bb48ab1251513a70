"""The page at /, in headless Chromium."""

import json

import pytest

_ASK = """
(async () => {
  document.getElementById("text").value = %s;
  document.getElementById("profile").value = "fast";
  document.querySelector("button").click();
  while (document.querySelector("button").disabled) await new Promise(d => setTimeout(d, 10));
  return [...["translation", "notes", "error"].map(id => document.getElementById(id).textContent),
    document.querySelectorAll("#alignment tbody tr").length,
    document.querySelectorAll("#alignment thead th").length];
})()
"""

# Opens all heat maps, and tells the rows and columns of each.
_OPEN = """
(async () => {
  const all = [...document.querySelectorAll("#alignment details")];
  for (const one of all) one.open = true;
  while (document.querySelectorAll("#alignment table").length < all.length)
    await new Promise(d => setTimeout(d, 10));
  return all.map(one => [one.querySelectorAll("tbody tr").length,
    one.querySelectorAll("thead th").length - 1]);
})()
"""


@pytest.fixture(scope="module")
def served(page, server):
    page.open(f"http://127.0.0.1:{server.port}/")
    return page


def test_a_sentence_its_translation_alignment_and_time(served, server):
    answer = server.ask({"text": "w1 w2 w3", "profile": "fast", "alignment": True}).json
    translation, notes, error, rows, columns = served.evaluate(_ASK % '"w1 w2 w3"')
    assert error == ""
    assert translation == answer["translation"]
    assert "ms here" in notes
    assert "search" in notes
    assert served.evaluate("document.querySelector('summary').textContent") == "Alignment: w1 w2 w3"
    assert rows == len(answer["target_tokens"]) > 0
    assert columns == 1 + len(answer["source_tokens"])
    shown = "[...document.querySelector('#alignment tbody tr').cells].slice(1).map(d => d.title)"
    strongest = max(enumerate(answer["alignment"][0]), key=lambda pair: pair[1])
    title = served.evaluate(shown)[strongest[0]]
    assert title.endswith(f": {strongest[1]:.3f}")


def test_what_was_split_and_what_is_refused_is_said(served):
    long = '"' + "W1 w2 w3 w4 w5 w6 w7. " * 12 + '"'
    _, notes, error, _, _ = served.evaluate(_ASK % long)
    assert "translated in 12 parts, split at sentence ends" in notes
    assert error == ""
    _, _, error, rows, _ = served.evaluate(_ASK % '"w1 ".repeat(60000)')
    assert "at most 50,000 source tokens" in error
    assert rows == 0


def test_each_part_of_a_split_text_has_a_heat_map_of_its_own(served, server):
    text = "W1 w2 w3 w4 w5 w6 w7. " * 12
    answer = server.ask({"text": text, "profile": "fast", "alignment": True}).json
    _, _, error, rows, columns = served.evaluate(_ASK % json.dumps(text))
    assert error == ""
    maps = served.evaluate(_OPEN)
    assert maps[0] == [rows, columns - 1]  # the first is open from the start, and it alone
    assert len(maps) == 12
    assert sum(height for height, _ in maps) == len(answer["target_tokens"])
    assert sum(width for _, width in maps) == len(answer["source_tokens"])


def test_a_phone_shows_all_of_it(served):
    served.call(
        "Emulation.setDeviceMetricsOverride",
        width=390,
        height=800,
        deviceScaleFactor=1,
        mobile=True,
    )
    served.evaluate(_ASK % json.dumps("w1 w2 w3 w4 w5 w6 w7 w8 w9 " * 5 + "w" * 300))
    assert served.evaluate("document.documentElement.scrollWidth") == 390
    served.call("Emulation.clearDeviceMetricsOverride")


def test_markup_in_a_text_is_text(served):
    served.evaluate(_ASK % '"<img src=x onerror=document.title=1>"')
    assert served.evaluate("document.title") == "longspan"
    errors = [m for m in served.messages if m.get("method") == "Runtime.exceptionThrown"]
    assert not errors


def test_a_server_that_is_gone_is_told(page, launch):
    short = launch(LONGSPAN_PAGE="true").wait_ready()
    page.open(f"http://127.0.0.1:{short.port}/")
    short.stop()
    translation, _, error, rows, _ = page.evaluate(_ASK % '"w1"')
    assert error == "no answer: is the server still running?"
    assert (translation, rows) == ("", 0)


def test_there_is_no_page_in_the_image(launch):
    plain = launch().wait_ready()
    assert plain.request("GET", "/").status == 404
    assert plain.request("GET", "/openapi.json").json["openapi"].startswith("3.")
