// Small applications of Node's SDKs, asked by lines of JSON on stdin: {application, url, key, seconds, model, ability, stream}; each is
// answered by one line on stdout: {value} or {error: {name, status, message}}. Beside `node_modules` when it runs.

import readline from 'node:readline';

import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import Anthropic from '@anthropic-ai/sdk';
import { embedMany, generateText, Output, stepCountIs, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

const HELLO = 'hello';
const WEATHER = 'What is the weather in Paris?';
const EXTRACT = 'extract';
const TEXTS = ['one', 'two'];
const TOOL = 'get_weather';
const DESCRIPTION = 'The weather';
const RESULT = '22 degrees';
const MAX_TOKENS = 99;
const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
};
const Person = z.object({ name: z.string(), age: z.number().int() });

const user = (text) => [{ role: 'user', content: text }];
const only = (list) => {
  if (list.length !== 1) throw new Error(`${list.length} of what is one`);
  return list[0];
};

class OpenAiChat {
  constructor(url, key, seconds) {
    this.client = new OpenAI({ baseURL: url, apiKey: key, maxRetries: 0, timeout: seconds * 1000 });
  }

  async hello(model) {
    const answer = await this.client.chat.completions.create({ model, messages: user(HELLO) });
    return said(answer.choices[0].message.content, answer.usage.prompt_tokens, answer.usage.completion_tokens);
  }

  async stream(model) {
    const pieces = [];
    const chunks = await this.client.chat.completions.create({ model, messages: user(HELLO), stream: true });
    for await (const chunk of chunks) pieces.push(chunk.choices[0]?.delta?.content);
    return pieces.filter(Boolean);
  }

  async embed(model) {
    const answer = await this.client.embeddings.create({ model, input: TEXTS });
    return answer.data.map((one) => one.embedding);
  }

  async abandon(model) {
    const chunks = await this.client.chat.completions.create({ model, messages: user(HELLO), stream: true });
    for await (const _ of chunks) break;
    return true;
  }

  async turn(body, stream) {
    if (!stream) return (await this.client.chat.completions.create(body)).choices[0].message;
    return (await this.client.chat.completions.stream(body).finalChatCompletion()).choices[0].message;
  }

  async weather(model, stream) {
    const tools = [{ type: 'function', function: { name: TOOL, description: DESCRIPTION, parameters: SCHEMA } }];
    const messages = user(WEATHER);
    const first = await this.turn({ model, messages, tools }, stream);
    const call = only(first.tool_calls);
    messages.push(first, { role: 'tool', tool_call_id: call.id, content: RESULT });
    const last = await this.turn({ model, messages, tools }, stream);
    return called(call.function.name, JSON.parse(call.function.arguments), last.content);
  }

  async extract(model) {
    const response_format = zodResponseFormat(Person, 'person');
    const answer = await this.client.chat.completions.parse({ model, messages: user(EXTRACT), response_format });
    return answer.choices[0].message.parsed;
  }
}

class OpenAiResponses extends OpenAiChat {
  async hello(model) {
    const answer = await this.client.responses.create({ model, input: HELLO });
    return said(answer.output_text, answer.usage.input_tokens, answer.usage.output_tokens);
  }

  async stream(model) {
    const pieces = [];
    for await (const event of this.client.responses.stream({ model, input: HELLO })) {
      if (event.type === 'response.output_text.delta') pieces.push(event.delta);
    }
    return pieces;
  }

  async abandon(model) {
    for await (const _ of await this.client.responses.create({ model, input: HELLO, stream: true })) break;
    return true;
  }

  async turn(body, stream) {
    return stream ? this.client.responses.stream(body).finalResponse() : this.client.responses.create(body);
  }

  async weather(model, stream) {
    const tools = [{ type: 'function', name: TOOL, description: DESCRIPTION, parameters: SCHEMA, strict: false }];
    const input = user(WEATHER);
    const first = await this.turn({ model, input, tools }, stream);
    const call = only(first.output.filter((item) => item.type === 'function_call'));
    const plain = first.output.map(({ parsed_arguments: _, ...item }) => item);
    input.push(...plain, { type: 'function_call_output', call_id: call.call_id, output: RESULT });
    const last = await this.turn({ model, input, tools }, stream);
    return called(call.name, JSON.parse(call.arguments), last.output_text);
  }

  async extract(model) {
    const text = { format: zodTextFormat(Person, 'person') };
    return (await this.client.responses.parse({ model, input: EXTRACT, text })).output_parsed;
  }
}

class AnthropicMessages {
  constructor(url, key, seconds) {
    this.client = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0, timeout: seconds * 1000 });
  }

  async hello(model) {
    const answer = await this.client.messages.create({ model, max_tokens: MAX_TOKENS, messages: user(HELLO) });
    return said(only(answer.content).text, answer.usage.input_tokens, answer.usage.output_tokens);
  }

  async stream(model) {
    const pieces = [];
    const events = this.client.messages.stream({ model, max_tokens: MAX_TOKENS, messages: user(HELLO) });
    events.on('text', (piece) => pieces.push(piece));
    await events.finalMessage();
    return pieces;
  }

  async abandon(model) {
    const body = { model, max_tokens: MAX_TOKENS, messages: user(HELLO), stream: true };
    for await (const _ of await this.client.messages.create(body)) break;
    return true;
  }

  async turn(body, stream) {
    return stream ? this.client.messages.stream(body).finalMessage() : this.client.messages.create(body);
  }

  async weather(model, stream) {
    const tools = [{ name: TOOL, description: DESCRIPTION, input_schema: SCHEMA }];
    const messages = user(WEATHER);
    const first = await this.turn({ model, max_tokens: MAX_TOKENS, messages, tools }, stream);
    const use = only(first.content.filter((block) => block.type === 'tool_use'));
    const result = { type: 'tool_result', tool_use_id: use.id, content: RESULT };
    messages.push({ role: 'assistant', content: first.content }, { role: 'user', content: [result] });
    const last = await this.turn({ model, max_tokens: MAX_TOKENS, messages, tools }, stream);
    const text = last.content.filter((block) => block.type === 'text').map((block) => block.text);
    return called(use.name, use.input, text.join(''));
  }

  async extract(model) {
    const schema = { ...z.toJSONSchema(Person), $schema: undefined };
    const output_config = { format: { type: 'json_schema', schema } };
    const body = { model, max_tokens: MAX_TOKENS, messages: user(EXTRACT), output_config };
    return Person.parse(JSON.parse(only((await this.client.messages.create(body)).content).text));
  }
}

// Vercel's AI SDK over one of its providers.
class Ai {
  constructor(provider, seconds) {
    this.provider = provider;
    this.seconds = seconds;
  }

  asked(model, prompt) {
    const abortSignal = AbortSignal.timeout(this.seconds * 1000);
    return { model: this.provider(model), prompt, maxRetries: 0, maxOutputTokens: MAX_TOKENS, abortSignal };
  }

  async hello(model) {
    const answer = await generateText(this.asked(model, HELLO));
    return said(answer.text, answer.usage.inputTokens, answer.usage.outputTokens);
  }

  async stream(model) {
    const pieces = [];
    for await (const part of streamText(this.asked(model, HELLO)).fullStream) {
      if (part.type === 'error') throw part.error;
      if (part.type === 'text-delta') pieces.push(part.text);
    }
    return pieces;
  }

  async embed(model) {
    return (await embedMany({ model: this.provider.embeddingModel(model), values: TEXTS, maxRetries: 0 })).embeddings;
  }

  async abandon(model) {
    const giveUp = new AbortController();
    const answer = streamText({ ...this.asked(model, HELLO), abortSignal: giveUp.signal });
    for await (const part of answer.fullStream) {
      if (part.type === 'text-delta') giveUp.abort();
    }
    return true;
  }

  async weather(model, stream) {
    const calls = [];
    const execute = async (input) => {
      calls.push(input);
      return RESULT;
    };
    const inputSchema = z.object({ city: z.string(), days: z.number().int() });
    const tools = { [TOOL]: tool({ description: DESCRIPTION, inputSchema, execute }) };
    const asked = { ...this.asked(model, WEATHER), tools, stopWhen: stepCountIs(3) };
    const text = await (stream ? streamText(asked).text : generateText(asked).then((answer) => answer.text));
    return called(TOOL, only(calls), text);
  }

  async extract(model) {
    const output = Output.object({ schema: Person });
    return (await generateText({ ...this.asked(model, EXTRACT), output })).output;
  }
}

const said = (text, input_tokens, output_tokens) => ({ text, input_tokens, output_tokens });
const called = (name, args, text) => ({ name, arguments: args, text });

const APPLICATIONS = {
  'node-openai': (url, key, seconds) => new OpenAiChat(url, key, seconds),
  'node-openai-responses': (url, key, seconds) => new OpenAiResponses(url, key, seconds),
  'node-anthropic': (url, key, seconds) => new AnthropicMessages(url, key, seconds),
  'ai-openai': (url, key, seconds) => new Ai(createOpenAI({ baseURL: url, apiKey: key }), seconds),
  'ai-openai-chat': (url, key, seconds) => new Ai(createOpenAI({ baseURL: url, apiKey: key }).chat, seconds),
  'ai-anthropic': (url, key, seconds) => new Ai(createAnthropic({ baseURL: url, apiKey: key }), seconds),
  'ai-openai-compatible': (url, key, seconds) =>
    new Ai(
      createOpenAICompatible({
        name: 'any', baseURL: url, apiKey: key, includeUsage: true, supportsStructuredOutputs: true,
      }),
      seconds,
    ),
};

globalThis.AI_SDK_LOG_WARNINGS = false;
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { application, url, key, seconds, model, ability, stream } = JSON.parse(line);
  let reply;
  try {
    reply = { value: await APPLICATIONS[application](url, key, seconds)[ability](model, stream) };
  } catch (error) {
    reply = { error: { name: error.name, status: error.status ?? error.statusCode ?? null, message: String(error.message) } };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
