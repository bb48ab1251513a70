#!/usr/bin/env bash
# A session with the AWS CLI, which CLIENT_BIN holds: PREPARED TEXT.
# The last line is JSON: the training job, and the answers of the endpoint.
set -euo pipefail
prepared=$1 text=$2 name=aws-cli
request=$(dirname "${BASH_SOURCE[0]}")/request.json
aws() { "$CLIENT_BIN/aws" --output text "$@"; }
sagemaker() { aws sagemaker "$@"; }

aws s3 cp --only-show-errors --recursive "$prepared" "s3://$LONGSPAN_BUCKET/$name/prepared"
source="DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=s3://$LONGSPAN_BUCKET/$name/prepared}}"
sagemaker create-training-job --training-job-name "$name" --role-arn "$LONGSPAN_ROLE_ARN" \
    --cli-input-json "file://$request" --input-data-config "ChannelName=prepared,$source" \
    --output-data-config "S3OutputPath=s3://$LONGSPAN_BUCKET/$name"
sagemaker wait training-job-completed-or-stopped --training-job-name "$name"
model=$(sagemaker describe-training-job --training-job-name "$name" \
    --query ModelArtifacts.S3ModelArtifacts)

sagemaker create-model --model-name "$name" --execution-role-arn "$LONGSPAN_ROLE_ARN" \
    --primary-container "Image=longspan,ModelDataUrl=$model"
sagemaker create-endpoint-config --endpoint-config-name "$name" --production-variants \
    "VariantName=all,ModelName=$name,InitialInstanceCount=1,InstanceType=ml.m5.large"
sagemaker create-endpoint --endpoint-name "$name" --endpoint-config-name "$name"
sagemaker wait endpoint-in-service --endpoint-name "$name"
answer=$(mktemp)
aws sagemaker-runtime invoke-endpoint --endpoint-name "$name" --content-type text/plain \
    --accept text/plain --body "$text" "$answer"
sagemaker delete-endpoint --endpoint-name "$name"
translation=$(cat "$answer")
rm "$answer"
printf '{"job": "%s", "answers": ["%s"]}\n' "$name" "$translation"
