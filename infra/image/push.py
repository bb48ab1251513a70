"""Push of the image to a repository in Amazon ECR.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html
"""

import base64
import tempfile
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from longspan.infra.errors import ImageError
from longspan.infra.image.docker import Docker

__all__ = ["push"]


def push(tag: str, repository: str, ecr: Any, docker: Docker) -> str:
    """Push the local image `tag`; return its URI with the digest, which no later push changes.

    Raises ImageError for an unknown image or repository, and without permission to push.
    """
    docker.run("image", "inspect", "--format", "{{.Id}}", tag)
    uri = _repository_uri(repository, ecr)
    # A colon before the last slash belongs to the port of a registry.
    version = tag.rpartition(":")[2] if ":" in tag.rpartition("/")[2] else "latest"
    docker.run("tag", tag, f"{uri}:{version}")
    # Docker stores the login in this folder; the password is valid for twelve hours.
    with tempfile.TemporaryDirectory(prefix="longspan-docker-") as folder:
        signed_in = replace(docker, environment={**docker.environment, "DOCKER_CONFIG": folder})
        _sign_in(uri, ecr, signed_in)
        signed_in.show("push", f"{uri}:{version}")
    return f"{uri}@{_digest(repository, version, ecr)}"


def _repository_uri(repository: str, ecr: Any) -> str:
    try:
        [found] = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "RepositoryNotFoundException":
            raise ImageError(
                f"expected a repository {repository} in ECR, got none: create it by `longspan "
                "infra deploy`, or give another by --repository"
            ) from None
        raise ImageError(f"ECR: {error}") from None
    except BotoCoreError as error:
        raise ImageError(f"ECR: {error}") from None
    return str(found["repositoryUri"])


def _sign_in(uri: str, ecr: Any, docker: Docker) -> None:
    try:
        [given] = ecr.get_authorization_token()["authorizationData"]
    except ClientError as error:
        raise ImageError(f"ECR: {error}") from None
    user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
    registry = uri.partition("/")[0]
    docker.run("login", "--username", user, "--password-stdin", registry, text=password)


def _digest(repository: str, version: str, ecr: Any) -> str:
    try:
        found = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": version}])
    except ClientError as error:
        raise ImageError(f"ECR does not show the pushed image: {error}") from None
    return str(found["imageDetails"][0]["imageDigest"])
