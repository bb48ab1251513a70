"""The result of a study as a table of text and as a page, `study.html`."""

from collections.abc import Iterator, Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined

from longspan.inference.evaluation.charts import Series, line_chart
from longspan.pipelines.study.results import CURED, CourseResult, Figure, StudyResult
from longspan.training.tables import align_rows

__all__ = ["render_page", "study_lines"]


def study_lines(result: StudyResult) -> Iterator[str]:
    """Yield a table with one row per course, its notes, and the answer, for a terminal."""
    names = [name for name, _ in _known(result)]
    rows = [["", *names, "kept", "updates", "CPU-s", f"gain, {result.long}"]]
    for course in result.courses:
        cells = [_value(course.buckets[name]) for name in names]
        cells += [_share(course.kept), _count(course.updates), _count(course.cpu_seconds)]
        gain = course.verdict
        if course.gain is not None:
            gain = f"{_gain(course.gain)} ({_interval_text(course.gain, '+')}): {course.verdict}"
        rows.append([course.title, *cells, gain])
    figures = len(rows[0]) - 2  # all columns but the first and the last
    yield from align_rows(rows, "<" + ">" * figures + "<", (0, *[8] * figures, 0))
    yield from _notes(result)
    yield from _early(result)
    yield _answer(result)


def render_page(result: StudyResult, title: str) -> str:
    """Return the page as HTML without external files: answer, chart, table with intervals."""
    template = files("longspan.pipelines.study").joinpath("study.html")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    names = [name for name, _ in _known(result)]
    series = [
        Series(
            course.title,
            [_number(course.buckets[name]) for name in names],
            [_interval(course.buckets[name]) for name in names],
        )
        for course in result.courses
    ]
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        title=title,
        answer=_answer(result),
        warnings=list(_early(result)),
        chart=line_chart(
            "BLEU by source words", [name.replace("over ", ">") for name in names], series
        ),
        courses=[course.title for course in result.courses],
        head=[
            "course",
            "verdict",
            f"gain, {result.long}",
            "kept",
            *names,
            "updates",
            "CPU-seconds",
        ],
        rows=[list(_cells(course, names)) for course in result.courses],
        notes=list(_notes(result)),
        signature=result.signature,
    )


def _answer(result: StudyResult) -> str:
    """Return a sentence for each verdict that names its courses."""
    parts = []
    for verdict, said in (
        ("cures", "Cures"),
        ("helps", "Helps, and does not cure"),
        ("no cure", "Does not cure"),
    ):
        titles = [course.title for course in result.courses if course.verdict == verdict]
        if titles:
            parts.append(f"{said}: {', '.join(titles)}.")
    return " ".join(parts)


def _cells(course: CourseResult, names: Sequence[str]) -> Iterator[dict[str, str]]:
    yield {"value": course.title}
    yield {"value": course.verdict}
    yield {"value": _gain(course.gain), "interval": _interval_text(course.gain, "+")}
    yield {"value": _share(course.kept)}
    for figure in (course.buckets[name] for name in names):
        yield {"value": _value(figure), "interval": _interval_text(figure)}
    yield {"value": _count(course.updates)}
    yield {"value": _count(course.cpu_seconds)}


def _notes(result: StudyResult) -> Iterator[str]:
    mean = "of one seed" if result.seeds == 1 else f"the mean of {result.seeds} seeds"
    yield (
        f"BLEU by source words, {mean}; kept: BLEU of {result.long} over that of {result.medium}, "
        f"the course's own or the baseline's if that is higher; gain: on the baseline, "
        f"{result.long}"
    )
    yield (
        "helps: a gain of 1 BLEU or more whose 95% interval is above 0; cures: such a gain, and at "
        f"least {CURED:.0%} kept; intervals are of a bootstrap over segments and seeds"
    )
    yield f"Each training job had {result.budget}, the same data and the same seeds"


def _early(result: StudyResult) -> Iterator[str]:
    """Yield a line for each job that ended before its budget."""
    for course in result.courses:
        yield from (f"{course.title}, {line}" for line in course.early)


def _known(result: StudyResult) -> list[tuple[str, Figure]]:
    """Return names and figures of the buckets that have segments."""
    buckets = result.courses[0].buckets.items()
    return [(name, figure) for name, figure in buckets if figure is not None]


def _number(figure: Figure | None) -> float | None:
    return None if figure is None else figure.value


def _interval(figure: Figure | None) -> tuple[float, float] | None:
    return None if figure is None else (figure.low, figure.high)


def _value(figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:.1f}"


def _count(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _gain(figure: Figure | None) -> str:
    return "-" if figure is None else f"{figure.value:+z.1f}"


def _interval_text(figure: Figure | None, sign: str = "") -> str:
    return "" if figure is None else f"{figure.low:{sign}z.1f} to {figure.high:{sign}z.1f}"
