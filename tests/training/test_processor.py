import os
import subprocess
import sys

import pytest

from longspan.training.processor import features, level

pytestmark = pytest.mark.processor

SCRIPT = "from longspan.training.processor import features; print(*sorted(features()))"


def features_under(capability: str) -> set[str]:
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": capability}
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.skipif("avx2" not in features(), reason="a processor without AVX2")
def test_a_limit_to_avx2_hides_what_is_newer_and_nothing_else():
    limited = features_under("avx2")
    assert "avx2" in limited
    assert not [name for name in limited if name.startswith(("avx512", "amx"))]
    assert {"fma3", "sse4_2"} & features() <= limited <= features()


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ({"avx2", "avx512_f", "avx512_vnni"}, "AVX-512 with VNNI"),
        ({"avx2", "avx512_f", "avx512_vnni", "avx512_bf16"}, "AVX-512 with bf16"),
        ({"avx2"}, "AVX2"),
    ],
)
def test_a_level_is_named_after_the_newest_feature(names, name):
    assert level(frozenset(names)) == name
