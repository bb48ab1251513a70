"""The study: which of five courses of action keeps quality over 100 words, on the user's data."""

from longspan.pipelines.study.courses import Course, courses
from longspan.pipelines.study.definition import study_json
from longspan.pipelines.study.results import StudyResult

__all__ = ["Course", "StudyResult", "courses", "study_json"]
