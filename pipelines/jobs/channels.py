"""Names of the channels, inputs and outputs of jobs.

The definition of the pipeline writes them into requests; the jobs read and write folders of these
names.
"""

__all__ = ["BASELINE", "COLLECTED", "EVALUATION", "MODEL", "PAIRS", "PREPARED"]

PAIRS = "pairs"  # files of aligned pairs
COLLECTED = "collected"  # a part from each machine of the job `collect`
PREPARED = "prepared"  # what `longspan prepare` writes; the channel of training jobs too
MODEL = "model"  # archive of the model to evaluate, or to continue from
BASELINE = "baseline"  # archive of the model to compare with
EVALUATION = "evaluation"  # what `longspan evaluate` writes
