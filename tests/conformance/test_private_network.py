"""Every application once more where the provider is reached by a CONNECT proxy alone, and shows a certificate of a private CA.

The providers' names have no address: only the proxy knows them, so nothing can go around it.
"""

import dataclasses
import json
import os
import urllib.parse

import pytest

from aimock import HELLO, check_headers, journal, upstreams
from applications import APPLICATIONS as PYTHON_APPLICATIONS
from applications.application import TOOL, Person
from applications.node import NODE_APPLICATIONS, Node, NodeApplication
from clients import SDKS, call
from gateway import CLIENT_KEY, Sidecar
from private_network import BASIC, PASSWORD, QUOTED_PASSWORD, Ca, Proxy, Terminator
from sdk_matrix import pins_failure
from snapshots import DIALECTS, KEY_HEADERS, payload
from test_applications import fails
from test_faults import check_raised

APPLICATIONS = PYTHON_APPLICATIONS + NODE_APPLICATIONS
# the surface that an application calls, by a word in its name -> the provider of its own
HOMES = {
    "responses": "responses-mock",
    "anthropic": "anthropic-mock",
    "google": "gemini-mock",
    "cohere": "cohere-mock",
    "boto3": "bedrock-mock",
}
# the AI SDK speaks responses unless told otherwise
HOME_OF = {"ai-openai": "responses-mock"}


def home(name: str) -> str:
    found = (model for word, model in HOMES.items() if word in name)
    return HOME_OF.get(name) or next(found, "openai-mock")


@dataclasses.dataclass
class Network:
    ca: Ca
    proxy: Proxy
    terminators: dict[str, Terminator]
    routes: dict


@pytest.fixture(scope="module")
def network(mock, tmp_path_factory):
    """A name for each provider, which the proxy alone knows."""
    ca = Ca(tmp_path_factory.mktemp("ca"))
    plain = urllib.parse.urlsplit(mock)
    names, terminators, routes = {}, {}, {}
    for model, [upstream] in upstreams(mock).items():
        host = f"{model}.corp.test"
        terminators[host] = Terminator(ca.server(host), (plain.hostname, plain.port))
        names[f"{host}:443"] = terminators[host].address
        routes[model] = [
            dataclasses.replace(upstream, base_url=upstream.base_url.replace(mock, f"https://{host}"))
        ]
    network = Network(ca, Proxy(names), terminators, routes)
    yield network
    for listener in (network.proxy, *terminators.values()):
        listener.stop()


def snapshot(network: Network, names_ca: bool = False) -> str:
    """As ever, but the providers are elsewhere; `names_ca`: each says whom to trust."""
    plain = json.loads(payload(network.routes))
    for pool in plain["pools"].values():
        for provider in pool["providers"]:
            http = provider["connection"]["http"]
            http["locality"] = "External"
            if names_ca:
                http["network"] = {"tls": {"caPem": network.ca.file.read_text()}}
    if names_ca:
        plain["requires"] = sorted([*plain["requires"], "tls.ca"])
    return json.dumps(plain)


@pytest.fixture(scope="module", params=["ca-of-provider", "ca-of-all"])
def gateway(request, network, folder, direct):
    """The CA in the pool of each provider, or for all in the environment."""
    if direct:
        pytest.skip("needs the sidecar")
    environment = {"HTTPS_PROXY": network.proxy.url}
    if request.param == "ca-of-all":
        text = snapshot(network)
        environment["FKM_EXTRA_CA_FILE"] = str(network.ca.file)
    else:
        text = snapshot(network, names_ca=True)
    first = len(network.proxy.asked)
    before = {host: one.accepted for host, one in network.terminators.items()}
    one = Sidecar(os.environ["FKM_SIDECAR"], folder, f"private-{request.param}", text, environment)
    yield one
    one.stop()
    asked = network.proxy.asked[first:]
    for host, terminator in network.terminators.items():
        came = terminator.accepted - before[host]
        assert came == asked.count(f"{host}:443") and came > 0, f"{host} is reached by the proxy alone"
    assert network.proxy.refused == 0
    log = one.process.stdout.read_text("utf-8", "replace") + one.process.stderr.read_text("utf-8", "replace")
    for secret in (PASSWORD, QUOTED_PASSWORD, BASIC):
        assert secret not in log


@pytest.fixture(scope="module")
def applications(gateway, node_launcher, node_packages, tmp_path_factory):
    NodeApplication.node = Node(node_launcher, node_packages, tmp_path_factory.mktemp("node"))
    yield {kind.name: kind(f"http://{gateway.llm}{kind.prefix}", CLIENT_KEY) for kind in APPLICATIONS}
    NodeApplication.node.stop()


@pytest.fixture
def sent(mock):
    before = len(journal(mock))
    return lambda: journal(mock)[before:]


def matrix(ability: str):
    return pytest.mark.parametrize("name", [kind.name for kind in APPLICATIONS if getattr(kind, ability) is not None])


def check_sent(entries: list[dict], name: str, network: Network, times: int = 1) -> None:
    [upstream] = network.routes[home(name)]
    assert len(entries) == times
    for entry in entries:
        check_headers(entry, KEY_HEADERS[DIALECTS[upstream.format]["auth"]])
        assert entry["headers"]["host"] == f"{home(name)}.corp.test"


@matrix("hello")
def test_answer(name, applications, network, sent):
    assert applications[name].hello(home(name)).text == HELLO
    check_sent(sent(), name, network)


@matrix("stream")
def test_stream(request, name, applications, network, sent):
    why = fails(name, home(name), "stream")
    if why is not None:
        pins_failure(request.node)
        with pytest.raises(Exception, match=why):
            applications[name].stream(home(name))
        return
    pieces = applications[name].stream(home(name))
    assert "".join(pieces) == HELLO and len(pieces) > 1
    check_sent(sent(), name, network)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@matrix("weather")
def test_tool_loop(request, name, streamed, applications, network, sent):
    why = fails(name, home(name), "weather") if streamed else None
    if why is not None:
        pins_failure(request.node)
        with pytest.raises(Exception, match=why):
            applications[name].weather(home(name), streamed)
        return
    called = applications[name].weather(home(name), streamed)
    assert (called.name, called.arguments) == (TOOL, {"city": "Paris", "days": 3})
    assert called.text == "It is 22 degrees in Paris."
    check_sent(sent(), name, network, 2)


@matrix("extract")
def test_structured_output(name, applications, network, sent):
    # some give a class of their own that is made of it
    extracted = applications[name].extract(home(name))
    assert isinstance(extracted, Person)
    assert extracted.model_dump() == {"name": "Ada", "age": 36}
    check_sent(sent(), name, network)


CHATTING = [sdk for sdk in SDKS if sdk.name != "openai-completions"]


@pytest.mark.parametrize(("text", "status"), [("too many", 429), ("refuse me", 400)], ids=["429", "400"])
@pytest.mark.parametrize("sdk", CHATTING, ids=[sdk.name for sdk in CHATTING])
def test_error(sdk, text, status, gateway):
    model = home(sdk.name)
    client = sdk.client(gateway.url(sdk, model), CLIENT_KEY)
    outcome = call(sdk, client, model, sdk.question(text, False), False)
    check_raised(sdk, outcome, status)


def test_without_the_ca(network, folder, sent, direct):
    """It says what is wrong, and nothing is sent."""
    if direct:
        pytest.skip("needs the sidecar")
    accepted = len(network.proxy.asked)
    environment = {"HTTPS_PROXY": network.proxy.url}
    one = Sidecar(os.environ["FKM_SIDECAR"], folder, "private-without-ca", snapshot(network), environment)
    [sdk] = [sdk for sdk in SDKS if sdk.name == "openai"]
    outcome = call(sdk, sdk.client(one.url(sdk, ""), CLIENT_KEY), "openai-mock", sdk.question("hello", False), False)
    one.stop()
    assert outcome.raised["status"] == 502
    assert "certificate" in outcome.raised["message"].lower(), outcome.raised
    assert len(network.proxy.asked) > accepted
    assert sent() == []


def test_without_the_proxy(network, folder, direct):
    """The name has no address, and the error says so."""
    if direct:
        pytest.skip("needs the sidecar")
    asked = len(network.proxy.asked)
    one = Sidecar(os.environ["FKM_SIDECAR"], folder, "private-without-proxy", snapshot(network), {"HTTPS_PROXY": ""})
    [sdk] = [sdk for sdk in SDKS if sdk.name == "openai"]
    outcome = call(sdk, sdk.client(one.url(sdk, ""), CLIENT_KEY), "openai-mock", sdk.question("hello", False), False)
    one.stop()
    assert outcome.raised["status"] == 502
    assert "ConnectFailure: dns error" in outcome.raised["message"], outcome.raised
    assert len(network.proxy.asked) == asked
