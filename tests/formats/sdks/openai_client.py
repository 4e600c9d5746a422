"""The one client of OpenAI's SDK."""

import openai

from sdks.transport import Slot

slot = Slot()
client = openai.OpenAI(api_key="key", base_url="http://127.0.0.1/v1", max_retries=0, http_client=slot.httpx())
