// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The clients: how each is called, what the stand-in answers, and what that means (the facts that gnomon must tell).
import OpenAI, { AzureOpenAI } from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { Mistral } from '@mistralai/mistralai';
import { CohereClient, CohereClientV2 } from 'cohere-ai';
import Groq from 'groq-sdk';
import { Ollama } from 'ollama';
import { generateText, streamText } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand, InvokeModelCommand,
	InvokeModelWithResponseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import * as a from './answers.mjs';
import { mcp } from './mcp.mjs';
import { sockets } from './sockets.mjs';
import { plainly } from './plainly.mjs';

const PROMPT = 'How does a sundial tell the hour?';
const messages = [{ role: 'user', content: PROMPT }];
const streams = (v) => v.mode === 'stream' || v.mode === 'cut';
const drain = async (stream) => {
	for await (const part of stream)
		void part;
};
const once = { modes: ['plain', 'error'], codings: ['', 'gzip', 'br'] };
const few = { codings: ['', 'gzip'] };
const tool = { type: 'function', function: { name: 'hour', description: 'The hour', parameters: {
	type: 'object', properties: {} } } };

// ---- OpenAI ----
const openai = () => new OpenAI({ apiKey: 'sk-proj-made-up', maxRetries: 0 });
const chatFacts = { service: 'openai', key: 'openai', family: 'openai-chat', operation: 'chat', messages: 2, model: 'gpt-5-mini',
	answered: 'gpt-5-mini-2025-08-07', tier: 'default', finish: 'stop', input: 1200, output: 340, read: 1024,
	reasoning: 192, error: 'insufficient_quota' };
const chatSay = { model: 'gpt-5-mini-2025-08-07', tier: 'default', usage: a.chatUsage };
const two = [{ role: 'system', content: 'Be brief.' }, ...messages];
const openaiCases = [{
	name: 'openai-chat', why: 'The openai SDK: chat completions.', members: [{
		call: async (v) => {
			const made = await openai().chat.completions.create({ model: 'gpt-5-mini', messages: two,
				tools: [tool], max_completion_tokens: 2000, ...(streams(v) && { stream: true,
					stream_options: { include_usage: true } }) });
			if (streams(v))
				await drain(made);
		},
		answer: (q, v) => a.by(v, a.openaiChat(chatSay)),
		said: (v) => a.said(v, { ...chatFacts, tools: 1, max: 2000 }),
	}, {
		// usage was not asked for: the service is silent, and what is told is an estimate
		modes: ['stream'], codings: ['', 'br'],
		call: async () => drain(await openai().chat.completions.create({ model: 'gpt-5-mini', messages: two,
			stream: true })),
		answer: (q, v) => a.by(v, a.openaiChat({ ...chatSay, silent: true })),
		said: (v) => a.said(v, { ...chatFacts, usage: 'estimated_text', input: undefined, output: undefined,
			read: undefined, reasoning: undefined }),
	}],
}, {
	name: 'openai-other', why: 'The openai SDK: completions, embeddings, images, speech and transcription.', members: [{
		call: async (v) => {
			const made = await openai().completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: PROMPT,
				max_tokens: 64, ...(streams(v) && { stream: true, stream_options: { include_usage: true } }) });
			if (streams(v))
				await drain(made);
		},
		...few,
		answer: (q, v) => {
			const head = { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'gpt-3.5-turbo-instruct' };
			const usage = { prompt_tokens: 8, completion_tokens: 12, total_tokens: 20 };
			const choice = (text, finish_reason) => [{ text, index: 0, logprobs: null, finish_reason }];
			return a.by(v, { ...a.openaiChat(chatSay),
				plain: () => a.json({ ...head, choices: choice(a.TEXT, 'stop'), usage }),
				stream: () => a.sse(...a.WORDS.map((w) => ({ ...head, choices: choice(w, null) })),
					{ ...head, choices: choice('', 'stop') }, { ...head, choices: [], usage }, '[DONE]') });
		},
		said: (v) => a.said(v, { service: 'openai', key: 'openai', family: 'openai-completions',
			operation: 'text_completion', model: 'gpt-3.5-turbo-instruct', answered: 'gpt-3.5-turbo-instruct',
			max: 64, finish: 'stop', input: 8, output: 12, error: 'insufficient_quota' }),
	}, {
		...once,
		call: () => openai().embeddings.create({ model: 'text-embedding-3-small', input: [PROMPT, 'And the night?'] }),
		answer: (q, v) => a.by(v, { ...a.openaiChat(chatSay), plain: () => a.json({ object: 'list', data: [0, 1].map(
			(index) => ({ object: 'embedding', index, embedding: 'AACAPwAAAEAAAEBA' })),
			model: 'text-embedding-3-small', usage: { prompt_tokens: 13, total_tokens: 13 } }) }),
		said: (v) => a.said(v, { service: 'openai', key: 'openai', family: 'openai-embeddings',
			operation: 'embeddings', model: 'text-embedding-3-small', answered: 'text-embedding-3-small',
			input: 13, output: 0, error: 'insufficient_quota' }),
	}, {
		modes: ['plain', 'error'], codings: [''],
		call: () => openai().images.generate({ model: 'gpt-image-1', prompt: 'A sundial', n: 1 }),
		answer: (q, v) => a.by(v, { ...a.openaiChat(chatSay), plain: () => a.json({ created: 1, data: [{
			b64_json: 'iVBORw0KGgo=' }], usage: { input_tokens: 10, output_tokens: 4160, total_tokens: 4170,
			input_tokens_details: { text_tokens: 10, image_tokens: 0 } } }) }),
		said: (v) => a.said(v, { service: 'openai', key: 'openai', family: 'openai-images',
			operation: 'image_generation', model: 'gpt-image-1', input: 10, output: 4160,
			error: 'insufficient_quota' }),
	}, {
		modes: ['plain', 'error'], codings: [''],
		call: () => openai().audio.speech.create({ model: 'gpt-4o-mini-tts', voice: 'alloy', input: PROMPT }),
		answer: (q, v) => a.by(v, { ...a.openaiChat(chatSay), plain: () => ({ headers: {
			'content-type': 'audio/mpeg' }, chunks: [Buffer.from('fffb90c4', 'hex')] }) }),
		said: (v) => a.said(v, { service: 'openai', key: 'openai', family: 'openai-audio', operation: 'speech', stream: undefined,
			model: 'gpt-4o-mini-tts', usage: 'none', error: 'insufficient_quota' }),
	}, {
		modes: ['plain', 'error'], codings: [''],
		call: () => openai().audio.transcriptions.create({ model: 'gpt-4o-transcribe',
			file: new File([Buffer.from('RIFF$\0\0\0WAVEfmt ')], 'a.wav', { type: 'audio/wav' }) }),
		answer: (q, v) => a.by(v, { ...a.openaiChat(chatSay), plain: () => a.json({ text: a.TEXT, usage: {
			type: 'tokens', input_tokens: 14, output_tokens: 12, total_tokens: 26, input_token_details: {
				text_tokens: 0, audio_tokens: 14 } } }) }),
		said: (v) => a.said(v, { service: 'openai', key: 'openai', family: 'openai-audio', operation: 'transcription', stream: undefined,
			input: 14, output: 12, error: 'insufficient_quota' }),
	}],
}, {
	name: 'openai-responses', why: 'The openai SDK: responses.',
	call: async (v) => {
		const made = await openai().responses.create({ model: 'gpt-5', input: two, tools: [{ type: 'web_search' }],
			max_output_tokens: 4000, service_tier: 'flex', ...(streams(v) && { stream: true }) });
		if (streams(v))
			await drain(made);
	},
	answer: (q, v) => a.by(v, a.openaiResponses({ model: 'gpt-5-2025-08-07', tier: 'flex', usage: a.responsesUsage })),
	said: (v) => a.said(v, { service: 'openai', key: 'openai', family: 'openai-responses', operation: 'chat',
		messages: 2, tools: 1, max: 4000, model: 'gpt-5', answered: 'gpt-5-2025-08-07', asked: 'flex',
		finish: 'completed', input: 2100, output: 410, read: 1920, reasoning: 256, error: 'rate_limit_error' }),
}, {
	name: 'azure-openai', why: 'The openai SDK at Azure: the path names a deployment, the answer the model.', members: [{
		call: async (v) => {
			const client = new AzureOpenAI({ endpoint: 'https://acme.openai.azure.com', apiKey: 'made-up',
				apiVersion: '2025-01-01-preview', deployment: 'our-own', maxRetries: 0 });
			const made = await client.chat.completions.create({ model: 'our-own', messages: two,
				...(streams(v) && { stream: true, stream_options: { include_usage: true } }) });
			if (streams(v))
				await drain(made);
		},
		answer: (q, v) => {
			const like = a.openaiChat({ ...chatSay, model: 'gpt-4o-2024-11-20', tier: undefined });
			return a.by(v, { ...like, stream: () => {
				const whole = like.stream();
				whole.chunks.unshift('data: {"choices":[],"created":0,"id":"","model":"","object":"",' +
					'"prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}\n\n');
				return whole;
			} });
		},
		said: (v) => a.said(v, { ...chatFacts, service: 'azure-openai', key: 'azure', tier: undefined,
			family: 'azure-openai', model: undefined, answered: 'gpt-4o-2024-11-20' }),
	}],
}, {
	name: 'openai-compatible', why: 'The openai SDK at others, with their own habits of telling usage.', members: [{
		// xAI: reasoning lies outside the completion
		...few,
		call: async (v) => {
			const client = new OpenAI({ apiKey: 'xai-made-up', baseURL: 'https://api.x.ai/v1', maxRetries: 0 });
			const made = await client.chat.completions.create({ model: 'grok-4', messages,
				...(streams(v) && { stream: true }) });
			if (streams(v))
				await drain(made);
		},
		answer: (q, v) => a.by(v, { ...a.openaiChat({ model: 'grok-4-0709', usageUnasked: true, usage: {
			prompt_tokens: 32, completion_tokens: 26, total_tokens: 285, prompt_tokens_details: { text_tokens: 32,
				cached_tokens: 8 }, completion_tokens_details: { reasoning_tokens: 227 } } }), error: () => ({
			status: 429, ...a.json({ code: 'Some resource has been exhausted', error: 'Too many requests' }) }) }),
		said: (v) => a.said(v, { service: 'xai', key: 'xai', family: 'openai-chat', operation: 'chat', messages: 1,
			model: 'grok-4', answered: 'grok-4-0709', finish: 'stop', input: 32, output: 253, read: 8,
			reasoning: 227, error: 'Some resource has been exhausted' }),
	}, {
		// DeepSeek: a field of its own for the cache, usage in the last chunk
		...few,
		call: async (v) => {
			const client = new OpenAI({ apiKey: 'sk-made-up', baseURL: 'https://api.deepseek.com', maxRetries: 0 });
			const made = await client.chat.completions.create({ model: 'deepseek-reasoner', messages,
				...(streams(v) && { stream: true }) });
			if (streams(v))
				await drain(made);
		},
		answer: (q, v) => a.by(v, { ...a.openaiChat({ model: 'deepseek-reasoner', inLast: true, usage: {
			prompt_tokens: 2000, completion_tokens: 500, total_tokens: 2500, prompt_tokens_details: {
				cached_tokens: 1536 }, completion_tokens_details: { reasoning_tokens: 400 },
			prompt_cache_hit_tokens: 1536, prompt_cache_miss_tokens: 464 } }), error: () => ({ status: 402,
			...a.json({ error: { message: 'Insufficient Balance', type: 'unknown_error', param: null,
				code: 'invalid_request_error' } }) }) }),
		said: (v) => a.said(v, { service: 'deepseek', key: 'sk', family: 'openai-chat', operation: 'chat',
			messages: 1, model: 'deepseek-reasoner', answered: 'deepseek-reasoner', finish: 'stop', input: 2000,
			output: 500, read: 1536, reasoning: 400, error: 'unknown_error', status: 402 }),
	}, {
		// a gateway that the catalogue does not know
		...few,
		call: async (v) => {
			const client = new OpenAI({ apiKey: 'made-up', baseURL: 'https://llm.example.com/v1', maxRetries: 0 });
			const made = await client.chat.completions.create({ model: 'house-model', messages,
				...(streams(v) && { stream: true, stream_options: { include_usage: true } }) });
			if (streams(v))
				await drain(made);
		},
		answer: (q, v) => a.by(v, a.openaiChat({ ...chatSay, model: 'house-model' })),
		said: (v) => a.said(v, { ...chatFacts, service: 'unknown', key: 'bearer', messages: 1, model: 'house-model',
			answered: 'house-model' }),
	}],
}];

// ---- Groq: a second usage object in the stream ----
const groq = {
	name: 'groq', why: 'The groq SDK.',
	call: async (v) => {
		const made = await new Groq({ apiKey: 'gsk_made_up', maxRetries: 0 }).chat.completions.create({
			model: 'llama-3.3-70b-versatile', messages, max_tokens: 100, ...(streams(v) && { stream: true }) });
		if (streams(v))
			await drain(made);
	},
	answer: (q, v) => {
		const usage = { queue_time: 0.01, prompt_tokens: 41, completion_tokens: 12, total_tokens: 53 };
		return a.by(v, { ...a.openaiChat({ model: 'llama-3.3-70b-versatile', usageUnasked: true, inLast: true, usage,
			tier: 'on_demand', more: { x_groq: { id: 'req_1', usage } } }), error: () => ({ status: 429, ...a.json({
			error: { message: 'Rate limit', type: 'tokens', code: 'rate_limit_exceeded' } }) }) });
	},
	said: (v) => a.said(v, { service: 'groq', key: 'groq', family: 'openai-chat', operation: 'chat', messages: 1,
		max: 100, model: 'llama-3.3-70b-versatile', answered: 'llama-3.3-70b-versatile', tier: 'on_demand',
		finish: 'stop', input: 41, output: 12, error: 'tokens' }),
};

// ---- Anthropic ----
const anthropicFacts = { family: 'anthropic-messages', operation: 'chat', messages: 1, max: 1024,
	model: 'claude-sonnet-4-5', answered: 'claude-sonnet-4-5-20250929', tier: 'standard', finish: 'end_turn',
	input: 9525, output: 120, read: 8000, written: 1500, error: 'overloaded_error', status: 529 };
// the beginning of a stream has told the input
const early = { input: 9525, read: 8000, written: 1500 };
const claude = () => new Anthropic({ apiKey: 'sk-ant-api03-made-up', maxRetries: 0 });
const anthropicSay = { model: 'claude-sonnet-4-5-20250929' };
const anthropicCase = {
	name: 'anthropic', why: 'The Anthropic SDK: messages, and counting them and batches of them, which cost nothing.',
	members: [{
		call: async (v) => {
			const made = await claude().messages.create({ model: 'claude-sonnet-4-5', max_tokens: 1024, messages,
				system: 'Be brief.', tools: [{ name: 'hour', input_schema: { type: 'object' } }],
				...(streams(v) && { stream: true }) });
			if (streams(v))
				await drain(made);
		},
		answer: (q, v) => a.by(v, a.anthropic(anthropicSay)),
		said: (v) => a.said(v, { ...anthropicFacts, service: 'anthropic', key: 'anthropic', tools: 1 }, early),
	}, {
		...once,
		call: () => claude().messages.countTokens({ model: 'claude-sonnet-4-5', messages }),
		answer: (q, v) => a.by(v, { ...a.anthropic(anthropicSay), plain: () => a.json({ input_tokens: 14 }) }),
		said: (v) => a.said(v, { service: 'anthropic', key: 'anthropic', family: 'anthropic-messages',
			operation: 'count_tokens', messages: 1, model: 'claude-sonnet-4-5', usage: 'none',
			error: 'overloaded_error', status: 529 }),
	}, {
		...once, codings: [''],
		call: () => claude().messages.batches.create({ requests: [{ custom_id: 'a', params: {
			model: 'claude-sonnet-4-5', max_tokens: 10, messages } }] }),
		answer: (q, v) => a.by(v, { ...a.anthropic(anthropicSay), plain: () => a.json({ id: 'msgbatch_1',
			type: 'message_batch', processing_status: 'in_progress', request_counts: { processing: 1 } }) }),
		said: (v) => a.said(v, { service: 'anthropic', key: 'anthropic', family: 'anthropic-messages',
			operation: 'batch', model: 'claude-sonnet-4-5', usage: 'none', error: 'overloaded_error', status: 529 }),
	}],
};

// ---- Google ----
const geminiFacts = { family: 'gemini', operation: 'generate_content', messages: 1, max: 500,
	model: 'gemini-2.5-flash', answered: 'gemini-2.5-flash', finish: 'STOP', input: 900, output: 250, read: 512,
	reasoning: 200, error: 'RESOURCE_EXHAUSTED' };
// the SDK's own connections are HTTP/1.1; it takes another fetch, too
const google = (v, options) => new GoogleGenAI({ ...options,
	...(v.version === 2 && { httpOptions: { fetch: globalThis.fetch } }) });
const googleCall = (options) => async (v) => {
	const client = google(v, options), ask = { model: 'gemini-2.5-flash', contents: PROMPT,
		config: { maxOutputTokens: 500 } };
	if (streams(v))
		await drain(await client.models.generateContentStream(ask));
	else
		await client.models.generateContent(ask);
};
const googleCases = [{
	name: 'gemini', why: 'The google-genai SDK, with a key.', members: [{
		call: googleCall({ apiKey: 'AIzaMadeUp' }),
		answer: (q, v) => a.by(v, a.gemini({ model: 'gemini-2.5-flash' })),
		said: (v) => a.said(v, { ...geminiFacts, service: 'google-gemini-api', key: 'google' },
			{ input: 900 }),
	}, {
		...once, codings: [''],
		call: (v) => google(v, { apiKey: 'AIzaMadeUp' }).models.embedContent({ model: 'gemini-embedding-001',
			contents: PROMPT }),
		answer: (q, v) => a.by(v, { ...a.gemini({}), plain: () => a.json({ embeddings: [{ values: [0.1, 0.2] }] }) }),
		said: (v) => a.said(v, { service: 'google-gemini-api', key: 'google', family: 'gemini', operation: 'embeddings',
			model: 'gemini-embedding-001', usage: 'none', error: 'RESOURCE_EXHAUSTED' }),
	}],
}, {
	name: 'vertex', why: 'The google-genai SDK, at Vertex AI.',
	call: googleCall({ vertexai: true, apiKey: 'AIzaMadeUp' }),
	answer: (q, v) => a.by(v, a.gemini({ model: 'gemini-2.5-flash' })),
	said: (v) => a.said(v, { ...geminiFacts, service: 'google-vertex-ai', key: 'google', family: 'vertex' }, { input: 900 }),
}];

// ---- Bedrock: the SDK's own choice is HTTP/2; over HTTP/1.1 where it is told so ----
const bedrock = (v) => new BedrockRuntimeClient({ region: 'us-east-1', maxAttempts: 1,
	credentials: { accessKeyId: 'AKIDMADEUP', secretAccessKey: 'made-up' },
	...(v.version === 1 && { requestHandler: new NodeHttpHandler() }) });
const converseFacts = { service: 'amazon-bedrock', key: 'aws-sigv4', family: 'bedrock', operation: 'chat', messages: 1,
	model: 'anthropic.claude-3-haiku-20240307-v1:0', finish: 'end_turn', input: 2530, output: 90, read: 2000,
	written: 500, error: 'ThrottlingException', max: 200 };
const modelId = 'anthropic.claude-3-haiku-20240307-v1:0';
const bedrockCases = [{
	name: 'bedrock', why: 'The AWS SDK: Converse and InvokeModel, both also as an event stream.', members: [{
		...few,
		call: async (v) => {
			const ask = { modelId, messages: [{ role: 'user', content: [{ text: PROMPT }] }],
				inferenceConfig: { maxTokens: 200 } };
			const made = await bedrock(v).send(streams(v) ? new ConverseStreamCommand(ask) : new ConverseCommand(ask));
			if (streams(v))
				await drain(made.stream);
		},
		// nothing on the way codes these bodies
		answer: (q, v) => ({ ...a.by(v, a.converse()), coding: '' }),
		said: (v) => a.said(v, converseFacts),
	}, {
		...few,
		call: async (v) => {
			const ask = { modelId, contentType: 'application/json', body: JSON.stringify({
				anthropic_version: 'bedrock-2023-05-31', max_tokens: 200, messages }) };
			const made = await bedrock(v).send(streams(v) ? new InvokeModelWithResponseStreamCommand(ask)
				: new InvokeModelCommand(ask));
			if (streams(v))
				await drain(made.body);
		},
		answer: (q, v) => ({ ...a.by(v, a.invoke({ model: 'claude-3-haiku-20240307' })), coding: '' }),
		said: (v) => a.said(v, { ...converseFacts, answered: 'claude-3-haiku-20240307', tier: 'standard',
			input: 9525, output: 120, read: 8000, written: 1500 }, early),
	}],
}];

// ---- Cohere, Mistral, Ollama ----
const cohere = { name: 'cohere', why: 'The cohere SDK: chat in both versions, embed, rerank.', members: [{
	call: async (v) => {
		const client = new CohereClientV2({ token: 'made-up' }), ask = { model: 'command-a-03-2025', messages,
			maxTokens: 50 };
		if (streams(v))
			await drain(await client.chatStream(ask, { maxRetries: 0 }));
		else
			await client.chat(ask, { maxRetries: 0 });
	},
	answer: (q, v) => a.by(v, a.cohereV2()),
	said: (v) => a.said(v, { service: 'cohere', key: 'bearer', family: 'cohere', operation: 'chat', messages: 1,
		max: 50, model: 'command-a-03-2025', finish: 'COMPLETE', input: 17, output: 9 }),
}, {
	modes: ['plain', 'stream'], codings: [''],
	call: async (v) => {
		const client = new CohereClient({ token: 'made-up' }), ask = { model: 'command-r', message: PROMPT };
		if (streams(v))
			await drain(await client.chatStream(ask, { maxRetries: 0 }));
		else
			await client.chat(ask, { maxRetries: 0 });
	},
	answer: (q, v) => {
		const end = { response_id: 'r', text: a.TEXT, generation_id: 'g', chat_history: [],
			finish_reason: 'COMPLETE', meta: { api_version: { version: '1' }, billed_units: { input_tokens: 7,
				output_tokens: 11 }, tokens: { input_tokens: 73, output_tokens: 11 } } };
		return a.by(v, { plain: () => a.json(end), stream: () => a.ndjson(
			{ is_finished: false, event_type: 'stream-start', generation_id: 'g' },
			...a.WORDS.map((text) => ({ is_finished: false, event_type: 'text-generation', text })),
			{ is_finished: true, event_type: 'stream-end', finish_reason: 'COMPLETE', response: end }) });
	},
	said: (v) => a.said(v, { service: 'cohere', key: 'bearer', family: 'cohere', operation: 'chat',
		model: 'command-r', finish: 'COMPLETE', input: 7, output: 11 }),
}, {
	modes: ['plain'], codings: ['', 'br'],
	call: () => new CohereClientV2({ token: 'made-up' }).embed({ model: 'embed-v4.0', texts: [PROMPT],
		inputType: 'search_query', embeddingTypes: ['float'] }),
	answer: (q, v) => a.by(v, { plain: () => a.json({ id: 'e', embeddings: { float: [[0.1, 0.2]] }, texts: [PROMPT],
		meta: { api_version: { version: '2' }, billed_units: { input_tokens: 9 } }, response_type: 'embeddings_by_type' }) }),
	said: (v) => a.said(v, { service: 'cohere', key: 'bearer', family: 'cohere', operation: 'embeddings',
		model: 'embed-v4.0', input: 9, output: 0 }),
}, {
	modes: ['plain'], codings: ['', 'br'],
	call: () => new CohereClientV2({ token: 'made-up' }).rerank({ model: 'rerank-v3.5', query: PROMPT,
		documents: ['noon', 'night'] }),
	answer: (q, v) => a.by(v, { plain: () => a.json({ id: 'r', results: [{ index: 0, relevance_score: 0.9 }],
		meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } } }) }),
	said: (v) => a.said(v, { service: 'cohere', key: 'bearer', family: 'cohere', operation: 'rerank',
		model: 'rerank-v3.5', usage: 'none' }),
}] };

const mistral = { name: 'mistral', why: 'The mistral SDK: chat, fill in the middle, embeddings.', members: [{
	call: async (v) => {
		const client = new Mistral({ apiKey: 'made-up' }), ask = { model: 'mistral-small-latest', messages,
			maxTokens: 80 };
		if (streams(v))
			await drain(await client.chat.stream(ask));
		else
			await client.chat.complete(ask);
	},
	answer: (q, v) => a.by(v, { ...a.openaiChat({ model: 'mistral-small-2506', usageUnasked: true, inLast: true,
		usage: { prompt_tokens: 15, completion_tokens: 12, total_tokens: 27 } }), error: () => ({ status: 429,
		...a.json({ object: 'error', message: 'Requests rate limit exceeded', type: 'rate_limited', param: null,
			code: '1300' }) }) }),
	said: (v) => a.said(v, { service: 'mistral', key: 'bearer', family: 'openai-chat', operation: 'chat', messages: 1,
		max: 80, model: 'mistral-small-latest', answered: 'mistral-small-2506', finish: 'stop', input: 15,
		output: 12, error: 'rate_limited' }),
}, {
	modes: ['plain', 'stream'], codings: [''],
	call: async (v) => {
		const client = new Mistral({ apiKey: 'made-up' }), ask = { model: 'codestral-latest', prompt: 'def', suffix: 'a' };
		if (streams(v))
			await drain(await client.fim.stream(ask));
		else
			await client.fim.complete(ask);
	},
	answer: (q, v) => a.by(v, a.openaiChat({ model: 'codestral-2508', usageUnasked: true, inLast: true,
		usage: { prompt_tokens: 6, completion_tokens: 12, total_tokens: 18 } })),
	said: (v) => a.said(v, { service: 'mistral', key: 'bearer', family: 'openai-completions',
		operation: 'text_completion', model: 'codestral-latest', answered: 'codestral-2508', finish: 'stop',
		input: 6, output: 12 }),
}, {
	modes: ['plain'], codings: ['', 'br'],
	call: () => new Mistral({ apiKey: 'made-up' }).embeddings.create({ model: 'mistral-embed', inputs: [PROMPT] }),
	answer: (q, v) => a.by(v, { plain: () => a.json({ id: 'e', object: 'list', model: 'mistral-embed', usage: {
		prompt_tokens: 11, completion_tokens: 0, total_tokens: 11 }, data: [{ object: 'embedding', index: 0,
		embedding: [0.1] }] }) }),
	said: (v) => a.said(v, { service: 'mistral', key: 'bearer', family: 'openai-embeddings', operation: 'embeddings',
		model: 'mistral-embed', answered: 'mistral-embed', input: 11, output: 0 }),
}] };

const ollamaClient = () => new Ollama({ host: 'https://ollama.example.com' });
const ollamaFacts = { service: 'unknown', family: 'ollama', model: 'llama3.2', answered: 'llama3.2', finish: 'stop',
	input: 26, output: 259 };
const ollama = { name: 'ollama', why: 'The ollama SDK: chat, generate, embed, as lines of JSON.', members: [{
	modes: ['plain', 'stream', 'cut'],
	call: async (v) => {
		const made = await ollamaClient().chat({ model: 'llama3.2', messages, stream: streams(v),
			options: { num_predict: 300 } });
		if (streams(v))
			await drain(made);
	},
	answer: (q, v) => a.by(v, a.ollama({ model: 'llama3.2' }, (content) => ({ message: { role: 'assistant', content } }))),
	said: (v) => a.said(v, { ...ollamaFacts, operation: 'chat', messages: 1, max: 300 }),
}, {
	modes: ['plain', 'stream', 'cut'], ...few,
	call: async (v) => {
		const made = await ollamaClient().generate({ model: 'llama3.2', prompt: PROMPT, stream: streams(v) });
		if (streams(v))
			await drain(made);
	},
	answer: (q, v) => a.by(v, a.ollama({ model: 'llama3.2' }, (response) => ({ response }))),
	said: (v) => a.said(v, { ...ollamaFacts, operation: 'text_completion' }),
}, {
	modes: ['plain'], codings: ['', 'br'],
	call: () => ollamaClient().embed({ model: 'nomic-embed-text', input: [PROMPT] }),
	answer: (q, v) => a.by(v, { plain: () => a.json({ model: 'nomic-embed-text', embeddings: [[0.1]],
		total_duration: 1, load_duration: 1, prompt_eval_count: 9 }) }),
	said: (v) => a.said(v, { service: 'unknown', family: 'ollama', operation: 'embeddings', model: 'nomic-embed-text',
		answered: 'nomic-embed-text', input: 9, output: 0 }),
}] };

// ---- the AI SDK ----
const aiCall = (model, more) => async (v) => {
	const ask = { model, prompt: PROMPT, maxRetries: 0, maxOutputTokens: 700, ...more };
	if (streams(v))
		await drain(streamText({ ...ask, onError: () => {} }).textStream);
	else
		await generateText(ask);
};
const aiSdk = { name: 'ai-sdk', why: 'The AI SDK with its providers for OpenAI, Anthropic and Google.', members: [{
	codings: ['', 'gzip', 'br'],
	call: aiCall(createOpenAI({ apiKey: 'sk-proj-made-up' })('gpt-5')),
	answer: (q, v) => a.by(v, a.openaiResponses({ model: 'gpt-5-2025-08-07', tier: 'default', usage: a.responsesUsage })),
	said: (v) => a.said(v, { service: 'openai', key: 'openai', family: 'openai-responses', operation: 'chat',
		messages: 1, max: 700, model: 'gpt-5', answered: 'gpt-5-2025-08-07', tier: 'default', finish: 'completed',
		input: 2100, output: 410, read: 1920, reasoning: 256, error: 'rate_limit_error' }),
}, {
	codings: ['', 'gzip', 'br'],
	call: aiCall(createAnthropic({ apiKey: 'sk-ant-api03-made-up' })('claude-sonnet-4-5')),
	answer: (q, v) => a.by(v, a.anthropic(anthropicSay)),
	said: (v) => a.said(v, { ...anthropicFacts, service: 'anthropic', key: 'anthropic', max: 700 }, early),
}, {
	codings: ['', 'gzip', 'br'],
	call: aiCall(createGoogleGenerativeAI({ apiKey: 'AIzaMadeUp' })('gemini-2.5-flash')),
	answer: (q, v) => a.by(v, a.gemini({ model: 'gemini-2.5-flash' })),
	said: (v) => a.said(v, { ...geminiFacts, service: 'google-gemini-api', key: 'google', max: 700 }, { input: 900 }),
}] };

export const cases = [...openaiCases, groq, anthropicCase, ...googleCases, ...bedrockCases, cohere, mistral, ollama,
	aiSdk, mcp, ...sockets, ...plainly];
