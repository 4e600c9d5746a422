"""Asks one question with the official SDK and prints what it made of the answer, as one JSON object.

ask.py openai|anthropic BASE_URL MODEL [--stream]
"""

import json
import sys


def ask_openai(base_url: str, model: str, stream: bool) -> dict:
    import openai

    client = openai.OpenAI(base_url=base_url, api_key="unused", max_retries=0)
    messages = [{"role": "user", "content": "Hi"}]
    if not stream:
        answer = client.chat.completions.create(model=model, messages=messages)
        return {"text": answer.choices[0].message.content, "finish": answer.choices[0].finish_reason}
    text, finish = "", None
    for chunk in client.chat.completions.create(model=model, messages=messages, stream=True):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
            finish = chunk.choices[0].finish_reason or finish
    return {"text": text, "finish": finish}


def ask_anthropic(base_url: str, model: str, stream: bool) -> dict:
    import anthropic

    client = anthropic.Anthropic(base_url=base_url.removesuffix("/v1"), api_key="unused", max_retries=0)
    request = {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "Hi"}]}
    if not stream:
        answer = client.messages.create(**request)
    else:
        with client.messages.stream(**request) as events:
            answer = events.get_final_message()
    return {"text": "".join(block.text for block in answer.content if block.type == "text"), "finish": answer.stop_reason}


if __name__ == "__main__":
    sdk, base_url, model, *options = sys.argv[1:]
    ask = {"openai": ask_openai, "anthropic": ask_anthropic}[sdk]
    print(json.dumps(ask(base_url, model, "--stream" in options)))
