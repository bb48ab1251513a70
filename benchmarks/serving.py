"""The endpoint under load: throughput and latency, start-up, memory over many requests.

    python benchmarks/serving.py --model MODEL --text FILE
    python benchmarks/serving.py --model MODEL --text FILE --rates 5 20 80 --profile quality
    python benchmarks/serving.py --model MODEL --text FILE --rates 10 --beside 10000
    python benchmarks/serving.py --model MODEL --text FILE --requests 50000

FILE has one sentence per line. All forms start the real server. The first three send single
sentences at random times, at a mean rate that does not depend on the responses, as users do.
Latency is measured from the time at which a request was due. With `--beside`, a second client
always has one request of that many texts. The last form sends that many requests, 32 at a time, and
prints the memory of the server and its workers.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit


def main(argv: Sequence[str] | None = None) -> int:
    arguments = build_parser().parse_args(argv)
    lines = arguments.text.read_text(encoding="utf-8").splitlines()
    started = time.monotonic()
    command = [sys.executable, "-m", "longspan.pipelines.command", "serve", arguments.model]
    options = ["--port", "0", "--profile", arguments.profile]
    if arguments.workers:
        options += ["--workers", str(arguments.workers)]
    server = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    try:
        address, ready = _wait_ready(server)
        print(f"healthy after {ready - started:.1f} s")
        bodies = [json.dumps({"text": line}).encode() for line in lines]
        if arguments.requests:
            asyncio.run(soak(address, bodies, arguments.requests, server.pid))
        else:
            large = json.dumps({"text": [lines[i % len(lines)] for i in range(arguments.beside)]})
            beside = large.encode() if arguments.beside else None
            asyncio.run(curve(address, bodies, arguments.rates, arguments.seconds, beside))
    finally:
        server.terminate()
        server.communicate()
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", required=True, help="model directory")
    parser.add_argument("--text", required=True, type=Path, help="one sentence per line")
    parser.add_argument("--profile", default="fast", choices=("fast", "quality"))
    parser.add_argument("--workers", type=int, help="processes with the model")
    parser.add_argument(
        "--rates",
        type=float,
        nargs="+",
        default=[2, 10, 25, 50, 100, 200],
        help="requests per second",
    )
    parser.add_argument("--seconds", type=float, default=10, help="duration of each rate")
    parser.add_argument("--beside", type=int, default=0, help="texts of a second client's requests")
    parser.add_argument("--requests", type=int, help="measure memory over this many requests")
    return parser


async def curve(
    address: tuple[str, int],
    bodies: Sequence[bytes],
    rates: Sequence[float],
    seconds: float,
    beside: bytes | None,
) -> None:
    draw = random.Random(1)
    connections = Connections(address)
    for body in bodies[:20]:
        await connections.ask(body)
    other = asyncio.create_task(_again_and_again(connections, beside)) if beside else None
    print("| requests / s | answered / s | refused | p50 ms | p95 ms | p99 ms |")
    print("|---:|---:|---:|---:|---:|---:|", flush=True)
    for rate in rates:
        start = time.monotonic()
        due, tasks = start, []
        while due < start + seconds:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.append(asyncio.create_task(_timed(connections, draw.choice(bodies), due)))
            due += draw.expovariate(rate)
        found = await asyncio.gather(*tasks)
        took = time.monotonic() - start
        good = sorted(latency for status, latency in found if status == 200)
        refused = len(found) - len(good)
        shown = " | ".join(f"{1000 * _quantile(good, q):.1f}" for q in (0.5, 0.95, 0.99))
        print(f"| {rate:g} | {len(good) / took:.1f} | {refused} | {shown} |", flush=True)
    if other:
        other.cancel()
    connections.close()


async def soak(address: tuple[str, int], bodies: Sequence[bytes], requests: int, pid: int) -> None:
    connections = Connections(address)
    rest = iter(range(requests))
    statuses: dict[int, int] = {}
    print("| requests | server MB | workers MB |\n|---:|---:|---:|", flush=True)

    async def ask() -> None:
        for number in rest:
            if number % max(1, requests // 10) == 0:
                own, others = _memory(pid)
                print(f"| {number:,} | {own:.1f} | {others:.1f} |", flush=True)
            status = await connections.ask(bodies[number % len(bodies)])
            statuses[status] = statuses.get(status, 0) + 1

    await asyncio.gather(*(ask() for _ in range(32)))
    own, others = _memory(pid)
    print(f"| {requests:,} | {own:.1f} | {others:.1f} |\nstatus: {statuses}", flush=True)
    connections.close()


class Connections:
    """Pool of open connections that grows as needed."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, body: bytes) -> int:
        """Return the status of one response after reading all of it."""
        connection = (
            self._free.pop() if self._free else await asyncio.open_connection(*self._address)
        )
        reader, writer = connection
        writer.write(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        self._free.append(connection)
        return int(head.split()[1])

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


async def _again_and_again(connections: Connections, body: bytes) -> None:
    while True:
        start = time.monotonic()
        status = await connections.ask(body)
        print(f"beside: status {status} after {time.monotonic() - start:.1f} s", flush=True)


async def _timed(connections: Connections, body: bytes, due: float) -> tuple[int, float]:
    status = await connections.ask(body)
    return status, time.monotonic() - due


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _wait_ready(server: "subprocess.Popen[str]") -> tuple[tuple[str, int], float]:
    assert server.stdout is not None
    address = ("127.0.0.1", 0)
    for line in server.stdout:
        event = json.loads(line)
        if event["event"] == "listening":
            address = ("127.0.0.1", urlsplit(event["url"]).port or 0)
        if event["event"] == "worker ready":
            ready = time.monotonic()
            # Read and drop the rest of the log, which would otherwise fill the pipe.
            subprocess.Popen(["cat"], stdin=server.stdout, stdout=subprocess.DEVNULL)
            return address, ready
    raise SystemExit("the server ended before it was ready")


def _memory(pid: int) -> tuple[float, float]:
    """Return the resident megabytes of the server, and of all its workers."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _resident(pid), sum(_resident(int(child)) for child in children)


def _resident(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
