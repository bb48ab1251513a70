"""Deployment of the template, always by a change set, which shows its changes first.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets.html
"""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from longspan.infra.errors import StackError
from longspan.infra.stack.template import body, parameters, read_template

__all__ = ["Change", "ChangeSet", "Stack"]

# The template gives roles fixed names, so that other policies can name them.
_CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
_NOTHING = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Change:
    """Change of one resource: Add, Modify, Remove or Import."""

    action: str
    name: str
    kind: str
    replacement: str  # True, False or Conditional; empty unless the action is Modify


@dataclass(frozen=True)
class ChangeSet:
    """Change set; it has no changes when the stack agrees with the template."""

    id: str
    kind: str  # CREATE or UPDATE
    changes: tuple[Change, ...]


class Stack:
    """One stack of the template, by its name."""

    def __init__(self, cloudformation: Any, name: str) -> None:
        self._client = cloudformation
        self.name = name

    def status(self) -> str | None:
        """Return CloudFormation's status, None without a stack. Raises StackError."""
        try:
            with _explained(f"stack {self.name}"):
                [found] = self._client.describe_stacks(StackName=self.name)["Stacks"]
        except StackError as error:
            # The code of the error is ValidationError, as for other mistakes: only the text tells.
            if "does not exist" in str(error):
                return None
            raise
        return str(found["StackStatus"])

    def propose(self, given: Mapping[str, str]) -> ChangeSet:
        """Return the changes of a deployment; parameters that are not given stay unchanged.

        Raises StackError, also for unknown parameters.
        """
        status = self.status()
        # REVIEW_IN_PROGRESS: the stack was only proposed, and is empty.
        kind = "CREATE" if status in (None, "REVIEW_IN_PROGRESS") else "UPDATE"
        try:
            made = self._create_change_set(given, kind)
        except StackError as error:
            if any(words in str(error) for words in _NOTHING):
                return ChangeSet("", kind, ())
            raise
        id = str(made["Id"])
        if not self._wait_for_change_set(id):
            self.withdraw(ChangeSet(id, kind, ()))
            return ChangeSet("", kind, ())
        return ChangeSet(id, kind, tuple(self._changes(id)))

    def withdraw(self, proposed: ChangeSet) -> None:
        """Delete a change set, and the empty stack that was created for it. Raises StackError."""
        if not proposed.id:
            return
        with _explained(f"stack {self.name}"):
            self._client.delete_change_set(ChangeSetName=proposed.id, StackName=self.name)
            if self.status() == "REVIEW_IN_PROGRESS":
                self._client.delete_stack(StackName=self.name)

    def execute(self, proposed: ChangeSet) -> dict[str, str]:
        """Execute a change set, wait for its end, and return the stack's outputs.

        An empty change set is not executed. Raises StackError with the reason of the first failure.
        """
        with _explained(f"stack {self.name}"):
            if proposed.id:
                self._client.execute_change_set(ChangeSetName=proposed.id, StackName=self.name)
                waiter = f"stack_{proposed.kind.lower()}_complete"
                self._wait(waiter)
            [found] = self._client.describe_stacks(StackName=self.name)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def destroy(self) -> list[str]:
        """Delete the stack; return the resources that are retained, by type and name.

        Raises StackError.
        """
        retained = {
            name
            for name, resource in read_template()["Resources"].items()
            if resource.get("DeletionPolicy") == "Retain"
        }
        with _explained(f"stack {self.name}"):
            pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
            # Before the deletion, after which the names of retained resources are not listed any
            # more.
            found = [one for page in pages for one in page["StackResourceSummaries"]]
            self._client.delete_stack(StackName=self.name)
            self._wait("stack_delete_complete")
        return [
            f"{one['ResourceType']} {one['PhysicalResourceId']}"
            for one in found
            if one["LogicalResourceId"] in retained
        ]

    def _create_change_set(self, given: Mapping[str, str], kind: str) -> dict[str, Any]:
        with _explained(f"stack {self.name}"):
            return dict(
                self._client.create_change_set(
                    StackName=self.name,
                    ChangeSetName=f"longspan-{uuid.uuid4().hex[:12]}",
                    ChangeSetType=kind,
                    TemplateBody=body(),
                    Parameters=self._parameters(given, kind),
                    Capabilities=_CAPABILITIES,
                    # Import what an earlier `destroy` retained: these resources have fixed names.
                    ImportExistingResources=True,
                )
            )

    def _parameters(self, given: Mapping[str, str], kind: str) -> list[dict[str, Any]]:
        template = read_template()
        chosen = parameters(given, template)
        if kind == "UPDATE":
            [found] = self._client.describe_stacks(StackName=self.name)["Stacks"]
            there = {one["ParameterKey"] for one in found.get("Parameters", [])}
            # For a parameter that an update leaves out, CloudFormation would take the template's
            # default. A parameter that is new in the template has no previous value.
            chosen += [
                {"ParameterKey": name, "UsePreviousValue": True}
                for name in template["Parameters"]
                if name in there and name not in given
            ]
        return chosen

    def _wait_for_change_set(self, id: str) -> bool:
        """Wait until a change set is ready; return False for an empty one."""
        try:
            self._client.get_waiter("change_set_create_complete").wait(
                ChangeSetName=id, StackName=self.name, WaiterConfig={"Delay": 2, "MaxAttempts": 150}
            )
        except WaiterError as error:
            reason = str((error.last_response or {}).get("StatusReason", error))
            if any(words in reason for words in _NOTHING):
                return False
            raise StackError(f"stack {self.name}: {reason}") from None
        return True

    def _changes(self, id: str) -> Iterator[Change]:
        token: dict[str, str] = {}
        with _explained(f"stack {self.name}"):
            while True:
                page = self._client.describe_change_set(
                    ChangeSetName=id, StackName=self.name, **token
                )
                for one in page.get("Changes", []):
                    change = one["ResourceChange"]
                    yield Change(
                        change["Action"],
                        change["LogicalResourceId"],
                        change["ResourceType"],
                        change.get("Replacement", ""),
                    )
                if "NextToken" not in page:
                    return
                token = {"NextToken": page["NextToken"]}

    def _wait(self, waiter: str) -> None:
        try:
            # For an hour at most.
            self._client.get_waiter(waiter).wait(
                StackName=self.name, WaiterConfig={"Delay": 5, "MaxAttempts": 720}
            )
        except WaiterError as error:
            raise StackError(f"stack {self.name}: {self._first_failure() or error}") from None

    def _first_failure(self) -> str:
        """Return the reason of the oldest failure, which caused the others."""
        events = self._client.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
        if not failed:
            return ""
        # CloudFormation lists events from the newest to the oldest.
        first = failed[-1]
        return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason')}"


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise StackError(f"{what}: {error.response['Error']['Message']}") from None
    except BotoCoreError as error:
        raise StackError(f"{what}: {error}") from None
