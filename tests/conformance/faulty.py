"""The fault upstream (tests/upstream): a provider that does what it is told, and knows who went away."""

import json
import time
import urllib.request

CANCEL_SECONDS = 5


class Faulty:
    """A running one. `base_url` is what an SDK of OpenAI is given; `root` has no version."""

    def __init__(self, line: str):
        addresses = json.loads(line)
        self.base_url, self.control = addresses["baseUrl"], addresses["control"]
        self.root = self.base_url.removesuffix("/v1")

    def order(self, name: str, body: object = None) -> object:
        data = None if body is None else json.dumps(body).encode()
        method = "GET" if name == "requests" else "POST"
        request = urllib.request.Request(f"{self.control}/__{name}", data, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def does(self, *steps: object) -> None:
        """Forgets what was, and does these steps, one a request."""
        self.order("reset", {})
        self.order("script", steps)

    def requests(self) -> list[dict]:
        return self.order("requests")

    def is_cancelled(self) -> bool:
        """Whether its one request was given up by us, soon."""
        deadline = time.monotonic() + CANCEL_SECONDS
        while time.monotonic() < deadline:
            [request] = self.requests()
            if request["cancelled"]:
                return True
            time.sleep(0.02)
        return False
