"""Embeddings and rankings of Voyage by `voyageai`."""

import requests
import voyageai
from requests.adapters import BaseAdapter
from voyageai.error import VoyageError

from answers import Answer
from sdks.transport import Reply, Slot

slot = Slot()
# more than any answer points at: the SDK looks up the document of each place
DOCUMENTS = ["?"] * 1000


class Adapter(BaseAdapter):
    """Answers what the slot holds."""

    def send(self, request, **_):
        response = requests.Response()
        response.status_code, response.request, response.url = slot.reply.status, request, request.url
        response.headers.update(slot.reply.all_headers())
        response._content = slot.reply.body
        return response

    def close(self):
        pass


# nothing listens there: what other clients of the process ask goes over the network
SLOT_URL = "http://slot.invalid"


def session() -> requests.Session:
    made = requests.Session()
    made.mount(SLOT_URL, Adapter())
    return made


voyageai.requestssession = session()
client = voyageai.Client(api_key="key", base_url=SLOT_URL, max_retries=0)


def read_embeddings(reply: Reply) -> Answer:
    with slot.holding(reply, VoyageError):
        answered = client.embed(["?"], model="m")
    return Answer([], answered.total_tokens, vectors=answered.embeddings)


def read_ranks(reply: Reply) -> Answer:
    with slot.holding(reply, VoyageError):
        answered = client.rerank("?", DOCUMENTS, model="m")
    return Answer([], answered.total_tokens, ranks=[(one.index, one.relevance_score) for one in answered.results])
