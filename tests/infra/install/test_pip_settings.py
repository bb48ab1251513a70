"""Against the pip and the uv of this environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from longspan.infra.install.installer import find_uv, uv
from longspan.infra.install.pip_settings import PipSettings

PYTHON = Path(sys.executable)


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A file of settings, which wins over those of this machine."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_DIRS", "XDG_CONFIG_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    return tmp_path / "pip.conf"


def test_pips_files_and_variables_become_uvs(
    no_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_settings.write_text(
        "[global]\n"
        "index-url = https://mirror.example/simple\n"
        "extra-index-url =\n    https://one.example/simple\n    https://two.example/simple\n"
        "find-links = /wheels /more-wheels\n"
        "cert = /certificates.pem\n"
        "timeout = 5\n"
        "[install]\n"
        "no-index = true\n"
        "timeout = 7\n"
        "[download]\n"
        "index-url = https://for-another-command.example\n"
    )
    monkeypatch.setenv("PIP_CERT", "/mine.pem")
    settings = PipSettings.read(PYTHON)
    expected = {
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_FIND_LINKS": "/wheels,/more-wheels",
        "SSL_CERT_FILE": "/mine.pem",
        "UV_HTTP_TIMEOUT": "7",
    }
    assert expected.items() <= settings.for_uv().items()  # the machine's own may be more
    assert settings.options_for_uv() == ["--no-index"]


def test_uvs_own_settings_win(no_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_settings.write_text("[global]\nindex-url = https://of-pip.example\nretries = 2\n")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://of-uv.example")
    made = uv(Path("uv"), PYTHON, PipSettings.read(PYTHON))
    assert made.environment["UV_DEFAULT_INDEX"] == "https://of-uv.example"
    assert made.environment["UV_HTTP_RETRIES"] == "2"


def test_without_settings_nothing_but_the_order_of_indexes_is_set() -> None:
    settings = PipSettings.parse("")
    assert settings.for_uv() == {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    assert settings.options_for_uv() == []


def test_uv_takes_a_build_from_where_pip_would(
    no_settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mirror's own build, with a local version, as that of torch for CPUs."""
    program = find_uv(PYTHON)
    if program is None:
        pytest.skip("no uv in this environment: make .venv/installed brings it")
    wheel = build_wheel(tmp_path, "longspan-probe", "1.0+cpu")
    no_settings.write_text(f"[global]\nno-index = true\nfind-links = {wheel.parent}\n")
    target = tmp_path / "target"
    installer = uv(program, PYTHON, PipSettings.read(PYTHON))
    installer.install("--quiet", "--target", str(target), "longspan-probe==1.0")
    assert (target / "longspan_probe-1.0+cpu.dist-info").is_dir()


def build_wheel(folder: Path, name: str, version: str) -> Path:
    source, wheels = folder / "source", folder / "wheels"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\n[tool.setuptools]\npy-modules = []\n'
    )
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(wheels), str(source)], check=True)
    [wheel] = wheels.iterdir()
    return wheel
