"""One local cloud for a directory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from longspan.infra.errors import LocalCloudError
from longspan.infra.local.claim import CARD, Claim


def test_a_directory_is_claimed_once_until_it_is_released(tmp_path: Path) -> None:
    claim = Claim(tmp_path / "new/cloud")
    with pytest.raises(LocalCloudError, match="another local cloud runs on it; use that one"):
        Claim(tmp_path / "new/cloud")
    claim.release()
    Claim(tmp_path / "new/cloud").release()


def test_the_card_tells_who_and_where_and_is_secret(tmp_path: Path) -> None:
    claim = Claim(tmp_path)
    claim.publish({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_SECRET_ACCESS_KEY": "s"})
    card = tmp_path / CARD
    content = json.loads(card.read_text())
    assert content["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert content["pid"] == os.getpid()
    assert card.stat().st_mode & 0o777 == 0o600
    with pytest.raises(LocalCloudError, match=rf"\(process {os.getpid()}\)"):
        Claim(tmp_path)
    claim.release()
    assert not card.exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", "\x00"])
def test_a_card_that_is_no_good_is_no_hindrance(tmp_path: Path, content: str) -> None:
    claim = Claim(tmp_path)
    (tmp_path / CARD).write_text(content)
    with pytest.raises(LocalCloudError, match="another local cloud"):
        Claim(tmp_path)
    claim.release()


def test_a_process_that_dies_leaves_a_card_that_leads_nowhere(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from longspan.infra.local.claim import Claim\n"
        "claim = Claim(Path(sys.argv[1])); claim.publish({'A': 'b'}); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == 9
    assert (tmp_path / CARD).exists()
    claim = Claim(tmp_path)
    assert not (tmp_path / CARD).exists()
    claim.release()


def test_a_folder_that_cannot_be_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError):  # noqa: PT011 - which one is the system's
        Claim(tmp_path / "file/below")


def test_its_folders_are_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    claim = Claim(tmp_path)
    for name in ("state", "services", "work"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    (tmp_path / "state/kept").touch()
    claim.release()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cloud.lock", "state"]
