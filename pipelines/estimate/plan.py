"""The plan of a run: the resources that each step would create, read from the definition itself.

`<execution>`, `<job>` and the like stand for values that are known only during a run.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from longspan.pipelines.config import Config
from longspan.training.tables import align_rows

__all__ = ["PlanRow", "plan_lines", "plan_rows"]

_WIDTH = 100
_STEP = 14  # least width of the column of steps


class PlanRow(NamedTuple):
    """One resource that a step creates, or a condition that it checks."""

    step: str
    kind: str
    what: str


def plan_rows(config: Config, definition: Mapping[str, Any]) -> list[PlanRow]:
    """Return the rows of all steps in their order, with those before and after the steps."""
    reader = _Reader({found["Name"]: found["DefaultValue"] for found in definition["Parameters"]})
    steps = list(reader.steps(definition["Steps"]))
    deploys = any(row.kind == "endpoint" for row in steps)
    after = _after(config) if deploys else ()
    return [*_before(config, reader.parameters), *_folded(steps), *after]


def plan_lines(rows: Sequence[PlanRow]) -> Iterator[str]:
    """Yield the rows as a table; only the first row of a step shows its name."""
    steps = max(_STEP, *(len(row.step) for row in rows))
    kinds = max(len(row.kind) for row in rows)
    rest = _WIDTH - steps - kinds - 4  # two spaces behind each of the two columns
    last, lines = "", list[tuple[str, str, str]]()
    for step, kind, what in rows:
        # Addresses and names are not broken.
        parts = textwrap.wrap(what, rest, break_long_words=False, break_on_hyphens=False) or [""]
        lines.append(("" if step == last else step, kind, parts[0]))
        lines += [("", "", part) for part in parts[1:]]
        last = step
    yield from align_rows(lines, "<", (_STEP, 0))


def _folded(rows: Sequence[PlanRow]) -> Iterator[PlanRow]:
    """Yield the rows with steps that differ only in name folded into the first of them."""
    steps: dict[str, list[PlanRow]] = {}
    for row in rows:
        steps.setdefault(row.step, []).append(row)
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for step, created in steps.items():
        # Rows of two steps are alike if they differ only in the name of the step.
        key = tuple((row.kind, row.what.replace(step, "<step>")) for row in created)
        alike.setdefault(key, []).append(step)
    for first, *others in alike.values():
        yield from steps[first]
        if others:
            yield PlanRow(first, "likewise", ", ".join(others))


def _before(config: Config, parameters: Mapping[str, Any]) -> Iterator[PlanRow]:
    for kind, name in (("pairs", "PairsUri"), ("validation", "ValidationUri"), ("test", "TestUri")):
        uri, given = parameters.get(name), getattr(config.data, kind) or [""]
        # Equal for an s3:// prefix of the config: nothing is uploaded there.
        if uri is not None and given[0] != uri:
            yield PlanRow("first", "objects", f"{uri}/<hash>/")
    yield PlanRow("first", "pipeline", config.name)


def _after(config: Config) -> Iterator[PlanRow]:
    scaling = config.endpoint.autoscaling
    if config.endpoint.enabled and scaling is not None:
        yield PlanRow(
            "then",
            "autoscaling",
            f"of {config.endpoint_name}: {scaling.min_instances} to {scaling.max_instances} "
            "machines",
        )


class _Reader:
    """Reads the requests of steps; parameters of the pipeline have their defaults."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.parameters = parameters
        self._asked: set[str] = set()  # conditions of earlier steps

    def steps(self, steps: Sequence[Mapping[str, Any]]) -> Iterator[PlanRow]:
        for step in steps:
            request = step["Arguments"]
            for kind, what in _READERS[step["Type"]](self, request):
                yield PlanRow(step["Name"], kind, what)
            # ElseSteps hold only fail steps, which `condition` shows.
            yield from self.steps(request.get("IfSteps", ()))

    def text(self, value: Any) -> str:
        """Return a value as text, with placeholders for parts that are not known yet."""
        if not isinstance(value, Mapping):
            return str(value)
        # {"Std:Join": {"On": "/", "Values": [...]}}, {"Get": "Steps.Prepare.ProcessingJobName"} ...
        [(function, argument)] = value.items()
        if function == "Std:Join":
            return str(argument["On"]).join(self.text(part) for part in argument["Values"])
        if function == "Std:JsonGet":
            return str(argument["Path"])
        source, *rest = argument.split(".")
        if source == "Parameters":
            return str(self.parameters[rest[0]])
        return "<execution>" if source == "Execution" else f"<{'.'.join(rest)}>"

    def processing(self, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        machines = self._machines(request["ProcessingResources"]["ClusterConfig"])
        yield "processing job", f"{machines}, {_limit(request)}"
        for output in request["ProcessingOutputConfig"]["Outputs"]:
            yield "objects", f"{self.text(output['S3Output']['S3Uri'])}/"

    def training(self, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield "training job", self._training_job(request)
        yield from self._training_objects(request)

    def tuning(self, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        search, job = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
        limits, objective = search["ResourceLimits"], search["HyperParameterTuningJobObjective"]
        names = [found["Name"] for ranges in search["ParameterRanges"].values() for found in ranges]
        yield (
            "tuning job",
            f"{search['Strategy']} by {objective['MetricName']} over {', '.join(sorted(names))}",
        )
        yield (
            "training jobs",
            f"{limits['MaxNumberOfTrainingJobs']}, {limits['MaxParallelTrainingJobs']} at a time, "
            f"each {self._training_job(job)}",
        )
        yield from self._training_objects(job)

    def package(self, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield "model package group", self.text(request["ModelPackageGroupName"])
        approval = self.text(request["ModelApprovalStatus"])
        yield "model package", f"the group's next version, {approval}"

    def model(self, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield "model", f"{self.text(request['ModelName'])}-<execution>-<suffix>"

    def endpoint_config(self, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        [variant] = request["ProductionVariants"]
        if "ServerlessConfig" in variant:
            machines = f"serverless, {variant['ServerlessConfig']['MemorySizeInMB']} MB"
        else:
            machines = f"{variant['InitialInstanceCount']} x {self.text(variant['InstanceType'])}"
        yield "endpoint config", f"{self.text(request['EndpointConfigName'])}, {machines}"

    def endpoint(self, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield "endpoint", f"{self.text(request['EndpointName'])}, or an update of it"

    def condition(self, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        conditions = [self._condition(found) for found in request["Conditions"]]
        # Release and Deploy repeat the conditions of the gate (definition/gate.py).
        new = [condition for condition in conditions if condition not in self._asked]
        self._asked.update(conditions)
        wanted = [*(["all conditions above"] if len(new) < len(conditions) else []), *new]
        yield "only if", " and ".join(wanted)
        for step in request["ElseSteps"]:
            yield "otherwise", f"{step['Name']} fails the run"

    def _condition(self, found: Mapping[str, Any]) -> str:
        if found["Type"] == "Or":
            return f"({' or '.join(self._condition(part) for part in found['Conditions'])})"
        left, right = (self._operand(found[side]) for side in ("LeftValue", "RightValue"))
        return f"{left} {_SIGNS[found['Type']]} {right}"

    def _operand(self, value: Any) -> str:
        """Return one side of a condition; a parameter with its name, by which it is changed."""
        text = self.text(value)
        name = str(value.get("Get", "")) if isinstance(value, Mapping) else ""
        return f"{name.removeprefix('Parameters.')} ({text})" if name else text

    def _machines(self, resources: Mapping[str, Any]) -> str:
        return f"{resources['InstanceCount']} x {self.text(resources['InstanceType'])}"

    def _training_job(self, request: Mapping[str, Any]) -> str:
        spot = ", spot" if request.get("EnableManagedSpotTraining") else ""
        return f"{self._machines(request['ResourceConfig'])}{spot}, {_limit(request)}"

    def _training_objects(self, request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        yield "objects", f"{self.text(request['OutputDataConfig']['S3OutputPath'])}/<job>/output/"
        if "CheckpointConfig" in request:
            yield "objects", f"{self.text(request['CheckpointConfig']['S3Uri'])}/"


def _limit(request: Mapping[str, Any]) -> str:
    return f"at most {request['StoppingCondition']['MaxRuntimeInSeconds'] // 60} minutes"


_SIGNS = {"GreaterThanOrEqualTo": ">=", "LessThan": "<", "Equals": "="}
_READERS = {
    "Processing": _Reader.processing,
    "Training": _Reader.training,
    "Tuning": _Reader.tuning,
    "RegisterModel": _Reader.package,
    "Model": _Reader.model,
    "EndpointConfig": _Reader.endpoint_config,
    "Endpoint": _Reader.endpoint,
    "Condition": _Reader.condition,
}
