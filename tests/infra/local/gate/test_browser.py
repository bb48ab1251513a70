"""Pages of other origins in a real browser: they read nothing, change nothing, run nothing."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.infra.local.conftest import RunningCloud

# What a page can try, with and without a look at the answer, each with a key of its own invention.
ATTACK = """
(async () => {
  const url = %s, results = {};
  const signed = "AWS4-HMAC-SHA256 Credential=a/20261201/us-east-1/sagemaker/aws4_request, "
    + "SignedHeaders=host, Signature=0";
  const job = JSON.stringify(%s);
  const attempts = {
    dashboard: () => fetch(url + "/moto-api/data.json"),
    reset: () => fetch(url + "/moto-api/reset", {method: "POST"}),
    blind: () => fetch(url + "/moto-api/reset", {method: "POST", mode: "no-cors"}),
    job: () => fetch(url + "/", {method: "POST", body: job, headers: {
      "X-Amz-Target": "SageMaker.CreateProcessingJob", "Authorization": signed,
      "Content-Type": "application/x-amz-json-1.1"}}),
    query: () => fetch(url + "/?Action=ListUsers&Version=2010-05-08"),
    object: () => fetch(url + "/%s/secret"),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      const answer = await attempt();
      results[name] = answer.type + " " + answer.status;
    } catch (error) {
      results[name] = error.name;
    }
  }
  return results;
})()
"""
# A form needs no permission of the other origin.
FORM = """
new Promise(done => {
  const frame = document.createElement("iframe"), form = document.createElement("form");
  frame.name = "answer";
  Object.assign(form, {
    method: "POST", enctype: "text/plain", target: "answer", action: %s + "/moto-api/reset",
  });
  document.body.append(frame, form);
  frame.onload = () => done("sent");
  form.submit();
})
"""
JOB = {
    "ProcessingJobName": "forced",
    "RoleArn": "arn:aws:iam::123456789012:role/longspan-local",
    "AppSpecification": {"ImageUri": "x", "ContainerEntrypoint": ["sh", "-c", "id"]},
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    },
}


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title><body></body>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """Port of a site on this machine: another origin than the local cloud's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Empty)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("site", ["127.0.0.1", "localhost", "page.localhost"])
def test_a_page_of_another_origin_cannot_do_anything(
    page: Any, cloud: RunningCloud, elsewhere: int, site: str
) -> None:
    url = cloud.environment["AWS_ENDPOINT_URL"]
    s3, sagemaker = cloud.client("s3"), cloud.client("sagemaker")
    s3.put_object(Bucket=cloud.bucket, Key="secret", Body=b"secret")
    page.open(f"http://{site}:{elsewhere}/")
    for address in (url, url.replace("127.0.0.1", "localhost")):
        attack = ATTACK % (json.dumps(address), json.dumps(JOB), cloud.bucket)
        results = page.evaluate(attack)
        # TypeError: the browser keeps the answer from the page. A blind request shows nothing.
        assert results.pop("blind") == "opaque 0"
        assert set(results.values()) == {"TypeError"}, results
    assert page.evaluate(FORM % json.dumps(url)) == "sent"
    assert sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []
    assert s3.get_object(Bucket=cloud.bucket, Key="secret")["Body"].read() == b"secret"


def test_a_page_with_the_clouds_own_address_cannot_either(page: Any, cloud: RunningCloud) -> None:
    """A name of the attacker that leads to 127.0.0.1 makes both sides one origin."""
    port = cloud.environment["AWS_ENDPOINT_URL"].rpartition(":")[2]
    for path in ("/moto-api/", "/", "/?Action=ListUsers"):
        page.open(f"http://rebound.localhost:{port}{path}")
        body = page.evaluate("document.documentElement.textContent")
        assert "longspan-local" not in body
        status = "fetch(location.href, {method: 'POST'}).then(answer => answer.status)"
        assert page.evaluate(status) == 403
