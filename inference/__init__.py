"""From a model directory to translations: search, scoring, the translator."""
