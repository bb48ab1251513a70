"""Simulations of IAM policies, which moto lacks: the SDK checks roles by them before a job.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.access_control import AssumedRoleAccessKey, IAMPolicy, IAMUserAccessKey
from moto.iam.exceptions import ValidationError
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse

from longspan.infra.local.moto.policies import ALLOWED, DENIED, NEUTRAL, evaluate_policies

__all__ = ["answer_simulations"]

_DECISIONS = {ALLOWED: "allowed", DENIED: "explicitDeny", NEUTRAL: "implicitDeny"}
_PAGE = 100  # results, the default of MaxItems


def answer_simulations() -> None:
    """Add SimulatePrincipalPolicy and SimulateCustomPolicy to moto's IAM."""
    hooks: Mapping[str, Callable[[Any], ActionResult]] = {
        "simulate_principal_policy": _simulate_principal,
        "simulate_custom_policy": _simulate_custom,
    }
    for name, hook in hooks.items():
        setattr(IamResponse, name, hook)


def _simulate_principal(self: Any) -> ActionResult:
    arn = self.params["PolicySourceArn"]
    policies = [IAMPolicy(policy)._policy_json for policy in _policies_of(self.backend, arn)]
    policies += _parsed(self.params.get("PolicyInputList") or ())
    return _page({"aws:PrincipalArn": arn}, policies, self.params)


def _simulate_custom(self: Any) -> ActionResult:
    return _page({}, _parsed(self.params["PolicyInputList"]), self.params)


def _parsed(documents: Iterable[str]) -> list[Any]:
    try:
        return [json.loads(document) for document in documents]
    except ValueError as error:
        raise ValidationError(f"PolicyInputList: the policy is not JSON: {error}") from None


def _policies_of(backend: IAMBackend, arn: str) -> Iterable[Any]:
    """Return the policies of a role, user or group. Raises moto's NoSuchEntity."""
    kind, _, path = arn.rpartition(":")[2].partition("/")
    name = path.rpartition("/")[2]
    if kind == "role":
        return _collected(AssumedRoleAccessKey, backend, backend.get_role_by_arn(arn).name)
    if kind == "user":
        return _collected(IAMUserAccessKey, backend, backend.get_user(name).name)
    if kind == "group":
        inline = [backend.get_group_policy(name, p) for p in backend.list_group_policies(name)]
        return [*inline, *backend.list_attached_group_policies(name)[0]]
    raise ValidationError(f"Invalid Entity Arn: {arn} does not clearly define entity type and name")


def _collected(kind: Any, backend: IAMBackend, owner: str) -> Iterable[Any]:
    """Return the policies that moto collects for an access key, without having a key."""
    key = kind.__new__(kind)
    key.account_id, key.partition = backend.account_id, backend.partition
    key._owner_user_name = key._owner_role_name = owner
    return list(key.collect_policies())


def _page(
    context: Mapping[str, str], policies: list[Any], request: Mapping[str, Any]
) -> ActionResult:
    results = list(_results(context, policies, request))
    first = int(request.get("Marker") or 0)
    last = first + int(request.get("MaxItems") or _PAGE)
    answer: dict[str, Any] = {"EvaluationResults": results[first:last], "IsTruncated": False}
    if last < len(results):
        answer.update(IsTruncated=True, Marker=str(last))
    return ActionResult(answer)


def _results(
    context: Mapping[str, str], policies: list[Any], request: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    entries = request.get("ContextEntries") or ()
    known = {e["ContextKeyName"]: e["ContextKeyValues"][0] for e in entries}
    for action in request["ActionNames"]:
        for resource in request.get("ResourceArns") or ["*"]:
            decision = evaluate_policies(policies, action, resource, {**context, **known})
            yield {
                "EvalActionName": action,
                "EvalResourceName": resource,
                "EvalDecision": _DECISIONS[decision],
                "MatchedStatements": [],
                "MissingContextValues": [],
            }
