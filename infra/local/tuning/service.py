"""Service for hyperparameter tuning jobs: their operations, and a thread per job.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from longspan.infra.local.control.api import (
    ApiCall,
    Document,
    Handler,
    ResourceInUse,
    ResourceNotFound,
    ValidationError,
)
from longspan.infra.local.control.context import Context
from longspan.infra.local.control.documents import Exists, Key
from longspan.infra.local.control.listing import Listing
from longspan.infra.local.tuning.definition_search import definition_searches
from longspan.infra.local.tuning.requests import check_tuning_request
from longspan.infra.local.tuning.results import TRAINING_ENDED, TrialResult
from longspan.infra.local.tuning.tuning_run import TrainingJobStarter, TuningRun
from longspan.infra.local.tuning.view import described, results_of, tuning_summary
from longspan.infra.local.tuning.warm_start import check_parents, parent_names

__all__ = ["TuningJobs"]

_KIND = "tuning-job"
_NAME = "HyperParameterTuningJobName"
_STATUS = "HyperParameterTuningJobStatus"
_JOBS = Listing(name=_NAME, status=_STATUS, default_sort="Name", default_order="Ascending")
_TRAINING_JOBS = Listing(
    name="TrainingJobName",
    status="TrainingJobStatus",
    default_sort="Name",
    default_order="Ascending",
    # In a summary the value is nested: `_list_training_jobs` adds this key and removes it.
    sort_keys={"FinalObjectiveMetricValue": "_Value"},
)


class TuningJobs:
    """Service for tuning jobs; starts training jobs by `training_jobs`."""

    def __init__(self, context: Context, training_jobs: TrainingJobStarter) -> None:
        self._context = context
        self._training_jobs = training_jobs

    def operations(self) -> Mapping[str, Handler]:
        """Return the handlers by operation name."""
        return {
            "CreateHyperParameterTuningJob": self._create,
            "DescribeHyperParameterTuningJob": self._describe,
            "ListHyperParameterTuningJobs": self._list,
            "StopHyperParameterTuningJob": self._stop,
            "DeleteHyperParameterTuningJob": self._delete,
            "ListTrainingJobsForHyperParameterTuningJob": self._list_training_jobs,
        }

    def recover(self) -> None:
        """Set the status Failed of tuning jobs that ran: their strategies' state is lost."""
        now = self._context.now()
        for key, status in self._context.documents.texts(_KIND, _STATUS):
            if status not in TRAINING_ENDED:
                self._context.documents.change(
                    key,
                    **{_STATUS: "Failed"},
                    FailureReason="The local cloud ended while the tuning job ran. Start another "
                    "one with a warm start from this one.",
                    HyperParameterTuningEndTime=now,
                    LastModifiedTime=now,
                )

    def _create(self, call: ApiCall) -> Document:
        check_tuning_request(call.request)
        parents = [self._parent(call, name) for name in parent_names(call.request)]
        check_parents(call.request, parents)
        # Checks and searches come before the document: a refused request leaves nothing to undo.
        name = call.request[_NAME]
        key = Key(_KIND, call.region, name)
        arn = call.arn(f"hyper-parameter-tuning-job/{name}")
        known = [result for parent in parents for result in self._results(call.region, parent)]
        searches = definition_searches(call.request, known)
        self._add(key, self._document(call, arn))
        # The run reads CreationTime from the document, for the time limit.
        run = TuningRun(self._context, self._training_jobs, key, call, searches)
        self._context.threads.start(key, lambda _: run.run())
        return {"HyperParameterTuningJobArn": arn}

    def _parent(self, call: ApiCall, name: str) -> Document:
        found = self._context.documents.find(Key(_KIND, call.region, name))
        if found is None:
            raise ValidationError(f"Parent tuning job {name} does not exist.")
        return found

    def _add(self, key: Key, document: Document) -> None:
        try:
            self._context.documents.create(key, document)
        except Exists:
            raise ResourceInUse(
                "Hyperparameter tuning job names must be unique within an AWS account and "
                "region, and a hyperparameter tuning job with this name already exists "
                f"({document['HyperParameterTuningJobArn']})"
            ) from None

    def _document(self, call: ApiCall, arn: str) -> Document:
        now = self._context.now()
        return {
            **call.request,
            "HyperParameterTuningJobArn": arn,
            _STATUS: "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
            "TrainingJobNames": [],
        }

    def _describe(self, call: ApiCall) -> Document:
        document = self._find(call)
        parents = [
            result
            for name in parent_names(document)
            if (parent := self._context.documents.find(Key(_KIND, call.region, name)))
            for result in self._results(call.region, parent)
        ]
        now = self._context.now()
        return described(document, self._results(call.region, document), parents, now)

    def _list(self, call: ApiCall) -> Document:
        """List tuning jobs; only those of the page, since a summary reads all training jobs."""
        documents = [document for _, document in self._context.documents.of(_KIND, call.region)]
        page, token = _JOBS.page(documents, call.request)
        return {
            "HyperParameterTuningJobSummaries": [
                tuning_summary(document, self._results(call.region, document)) for document in page
            ],
            "NextToken": token,
        }

    def _list_training_jobs(self, call: ApiCall) -> Document:
        results = self._results(call.region, self._find(call))
        if call.request.get("SortBy") == "FinalObjectiveMetricValue":
            # As on AWS, this order leaves out jobs without an objective.
            results = [result for result in results if result.value is not None]
        summaries = [{**result.summary(), "_Value": result.value} for result in results]
        answer = _TRAINING_JOBS.answer("TrainingJobSummaries", summaries, call.request)
        for item in answer["TrainingJobSummaries"]:
            del item["_Value"]
        return answer

    def _stop(self, call: ApiCall) -> Document:
        self._find(call)

        def stop(document: Document) -> None:
            # Checked within the edit, since the run's thread may write its final status at any
            # time.
            status = document[_STATUS]
            if status in TRAINING_ENDED:
                raise ValidationError(
                    "The request was rejected because the hyperparameter tuning job is in status "
                    f"{status}."
                )
            document.update({_STATUS: "Stopping", "LastModifiedTime": self._context.now()})

        self._context.documents.edit(Key(_KIND, call.region, call.request[_NAME]), stop)
        return {}

    def _delete(self, call: ApiCall) -> Document:
        """Delete a tuning job, if it exists, but not its training jobs."""
        key = Key(_KIND, call.region, call.request[_NAME])
        document = self._context.documents.find(key)
        if document is None:
            return {}
        if document[_STATUS] not in TRAINING_ENDED:
            raise ValidationError(
                "The request was rejected because the hyperparameter tuning job is in status "
                f"{document[_STATUS]}. Stop it first."
            )
        self._context.documents.delete(key)
        return {}

    def _find(self, call: ApiCall) -> Document:
        name = call.request[_NAME]
        found = self._context.documents.find(Key(_KIND, call.region, name))
        if found is None:
            raise ResourceNotFound(
                f"Amazon SageMaker can't find a tuning job with the name {name}. "
                "Please make sure that the name is right, and the region."
            )
        return found

    def _results(self, region: str, document: Document) -> list[TrialResult]:
        return results_of(document, self._training_documents(region, document))

    def _training_documents(self, region: str, document: Document) -> Iterator[dict[str, Any]]:
        for name in document["TrainingJobNames"]:
            # A training job may have been deleted, or may have failed to start after it was listed.
            found = self._context.documents.find(Key("training-job", region, name))
            if found is not None:
                yield found
