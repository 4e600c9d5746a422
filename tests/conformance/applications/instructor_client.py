"""`instructor`, which makes objects of answers: by a forced tool, by a schema, and of Anthropic's tools."""

import anthropic
import instructor
import openai

from applications.application import EXTRACT, MAX_TOKENS, Application, Person


class Instructor(Application):
    """Makes objects, and nothing else."""

    name, prefix, mode = "instructor", "/v1", instructor.Mode.TOOLS

    def extract(self, model):
        client = openai.OpenAI(base_url=self.url, api_key=self.key, max_retries=0, timeout=self.seconds)
        return instructor.from_openai(client, mode=self.mode).create(
            model=model, messages=[{"role": "user", "content": EXTRACT}], response_model=Person, max_retries=0
        )

    hello = stream = weather = abandon = None


class InstructorSchema(Instructor):
    name, mode = "instructor-schema", instructor.Mode.JSON_SCHEMA


class InstructorAnthropic(Instructor):
    name, prefix, mode = "instructor-anthropic", "", instructor.Mode.ANTHROPIC_TOOLS

    def extract(self, model):
        client = anthropic.Anthropic(base_url=self.url, api_key=self.key, max_retries=0, timeout=self.seconds)
        return instructor.from_anthropic(client, mode=self.mode).create(
            model=model,
            max_tokens=MAX_TOKENS,
            messages=[{"role": "user", "content": EXTRACT}],
            response_model=Person,
            max_retries=0,
        )
