"""Somebody with few rights, whose keys commands use, and how a command says which one lacks."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from longspan.pipelines.command import main

__all__ = ["IamUser", "refused"]


class IamUser:
    """`environment` leads to a local cloud that enforces IAM, as this user."""

    def __init__(self, cloud: Any) -> None:
        self.name = f"user-{uuid.uuid4().hex[:8]}"
        self._iam = cloud.client("iam")
        self._iam.create_user(UserName=self.name)
        key = self._iam.create_access_key(UserName=self.name)["AccessKey"]
        self.environment = {
            **cloud.environment,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def may(self, *actions: str) -> None:
        """These and nothing else, from now on."""
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._iam.put_user_policy(UserName=self.name, PolicyName="few", PolicyDocument=document)


def refused(
    arguments: Sequence[str], who: str, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says who lacks which right."""
    capsys.readouterr()
    assert main(arguments) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"{who} lacks the right {missing}:" in line
