// A session with AWS's SDK for JavaScript: PREPARED TEXT.
// The last line is JSON: the training job, and the answers of the endpoint.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { env, argv } from "node:process";

const require = createRequire(join(env.CLIENT_MODULES, "x.js"));
const { S3Client, PutObjectCommand } = require("@aws-sdk/client-s3");
const sm = require("@aws-sdk/client-sagemaker");
const rt = require("@aws-sdk/client-sagemaker-runtime");

const [prepared, text] = argv.slice(2);
const request = JSON.parse(readFileSync(new URL("request.json", import.meta.url)));
const name = "javascript";
const bucket = env.LONGSPAN_BUCKET;
const role = env.LONGSPAN_ROLE_ARN;
const settings = { region: env.AWS_DEFAULT_REGION };
const s3 = new S3Client({ ...settings, forcePathStyle: true });
const client = new sm.SageMakerClient(settings);
const runtime = new rt.SageMakerRuntimeClient(settings);
const waiting = { client, maxWaitTime: 300, minDelay: 1, maxDelay: 2 };

for (const file of readdirSync(prepared, { recursive: true, withFileTypes: true })) {
  if (!file.isFile()) continue;
  const path = join(file.parentPath ?? file.path, file.name);
  const Key = `${name}/prepared${path.slice(prepared.length)}`;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: readFileSync(path) }));
}
const S3DataSource = { S3DataType: "S3Prefix", S3Uri: `s3://${bucket}/${name}/prepared` };
await client.send(new sm.CreateTrainingJobCommand({
  ...request,
  TrainingJobName: name,
  RoleArn: role,
  InputDataConfig: [{ ChannelName: "prepared", DataSource: { S3DataSource } }],
  OutputDataConfig: { S3OutputPath: `s3://${bucket}/${name}` },
}));
await sm.waitUntilTrainingJobCompletedOrStopped(waiting, { TrainingJobName: name });
const job = await client.send(new sm.DescribeTrainingJobCommand({ TrainingJobName: name }));

await client.send(new sm.CreateModelCommand({
  ModelName: name,
  ExecutionRoleArn: role,
  PrimaryContainer: {
    Image: request.AlgorithmSpecification.TrainingImage,
    ModelDataUrl: job.ModelArtifacts.S3ModelArtifacts,
  },
}));
await client.send(new sm.CreateEndpointConfigCommand({
  EndpointConfigName: name,
  ProductionVariants: [
    { VariantName: "all", ModelName: name, InitialInstanceCount: 1, InstanceType: "ml.m5.large" },
  ],
}));
const endpoint = { EndpointName: name };
await client.send(new sm.CreateEndpointCommand({ ...endpoint, EndpointConfigName: name }));
await sm.waitUntilEndpointInService(waiting, endpoint);

const asked = { ...endpoint, ContentType: "application/json" };
const decoder = new TextDecoder();
const one = await runtime.send(new rt.InvokeEndpointCommand({
  ...asked,
  Body: JSON.stringify({ text }),
}));
const stream = await runtime.send(new rt.InvokeEndpointWithResponseStreamCommand({
  ...asked,
  Body: JSON.stringify({ text, stream: true }),
}));
let streamed = "";
for await (const event of stream.Body) streamed += decoder.decode(event.PayloadPart.Bytes);
await client.send(new sm.DeleteEndpointCommand(endpoint));

const last = streamed.trim().split("\n").at(-1);
const answers = [decoder.decode(one.Body), last].map((line) => JSON.parse(line).translation);
console.log(JSON.stringify({ job: name, answers }));
