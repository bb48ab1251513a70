"""The pipeline as SageMaker runs it: one pure builder for each step, and the whole as JSON.

A builder reads no clock, no environment and no network, so equal configs give equal definitions.
"""

from longspan.pipelines.definition.pipeline import build_pipeline, definition_json
from longspan.pipelines.definition.target import Target

__all__ = ["Target", "build_pipeline", "definition_json"]
