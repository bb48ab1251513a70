"""SageMaker's `ModelTrainer` in local container mode: PREPARED WORK HYPERPARAMETERS."""

import json
import os
import sys
from pathlib import Path

from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData
from sagemaker.train.model_trainer import Mode

prepared, work, hyperparameters = sys.argv[1:]
trainer = ModelTrainer(
    training_mode=Mode.LOCAL_CONTAINER,
    training_image=os.environ["LONGSPAN_IMAGE"],
    role=os.environ["LONGSPAN_ROLE_ARN"],
    compute=Compute(instance_type="local_cpu", instance_count=1),
    hyperparameters=json.loads(hyperparameters),
    base_job_name="referee",
    local_container_root=work,
)
trainer.train(input_data_config=[InputData(channel_name="prepared", data_source=prepared)])
print(json.dumps(sorted(str(path) for path in Path(work).rglob("*.tar.gz"))))
