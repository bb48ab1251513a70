"""The page at /, in headless Chromium."""

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
    assert rows == len(answer["target_tokens"]) > 0
    assert columns == 1 + len(answer["source_tokens"])
    colours = served.evaluate("document.querySelector('#alignment td').style.backgroundColor")
    assert colours.startswith("rgb")


def test_what_was_split_and_what_is_refused_is_said(served):
    long = '"' + "W1 w2 w3 w4 w5 w6 w7. " * 12 + '"'
    _, notes, error, _, _ = served.evaluate(_ASK % long)
    assert "translated in 12 parts, split at sentence ends" in notes
    assert error == ""
    _, _, error, rows, _ = served.evaluate(_ASK % '"w1 ".repeat(60000)')
    assert "at most 50,000 source tokens" in error
    assert rows == 0


def test_markup_in_a_text_is_text(served):
    served.evaluate(_ASK % '"<img src=x onerror=document.title=1>"')
    assert served.evaluate("document.title") == "longspan"
    errors = [m for m in served.messages if m.get("method") == "Runtime.exceptionThrown"]
    assert not errors


def test_there_is_no_page_in_the_image(launch):
    plain = launch().wait_ready()
    assert plain.request("GET", "/").status == 404
    assert plain.request("GET", "/openapi.json").json["openapi"].startswith("3.")
