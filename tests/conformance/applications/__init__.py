"""Small applications: one for each official SDK and for each framework that brings its own way of using one."""

from applications.anthropic_sdk import Anthropic
from applications.application import Application
from applications.bedrock_sdk import Bedrock
from applications.cohere_sdk import Cohere
from applications.google_sdk import Google, Vertex
from applications.instructor_client import Instructor, InstructorAnthropic, InstructorSchema
from applications.langchain import LangChainAnthropic, LangChainOpenAi, LangChainResponses
from applications.llama import LlamaIndex
from applications.mistral_sdk import Mistral
from applications.openai_sdk import Azure, Groq, OpenAi, Responses
from applications.pydantic_agent import PydanticChat, PydanticResponses

__all__ = ["APPLICATIONS", "Application"]

APPLICATIONS: tuple[type[Application], ...] = (
    OpenAi,
    Responses,
    Azure,
    Groq,
    Mistral,
    Anthropic,
    Google,
    Vertex,
    Cohere,
    Bedrock,
    LangChainOpenAi,
    LangChainResponses,
    LangChainAnthropic,
    PydanticChat,
    PydanticResponses,
    Instructor,
    InstructorSchema,
    InstructorAnthropic,
    LlamaIndex,
)
