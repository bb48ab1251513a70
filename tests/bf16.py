"""Marks for tests of bfloat16: which of them a processor can run."""

import pytest
import torch

from longspan.training.loop.precision import has_bf16
from longspan.training.processor import features, level

CPU = torch.device("cpu")

needs_bf16 = pytest.mark.skipif(
    not has_bf16(CPU), reason=f"no bfloat16 on this processor ({level(features())})"
)
# What oneDNN's limits take away; a job on a GPU would not ask the processor.
needs_onednn_limits = pytest.mark.skipif(
    "avx2" not in features() or torch.cuda.is_available(),
    reason="ONEDNN_MAX_CPU_ISA limits x86 processors alone",
)
