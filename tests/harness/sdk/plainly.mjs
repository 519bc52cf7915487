// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Services without an SDK here: node's fetch sends what their documentation shows.
import * as a from './answers.mjs';

const PROMPT = 'How does a sundial tell the hour?';
const streams = (v) => v.mode === 'stream' || v.mode === 'cut';

function post(url, body, headers = {}) {
	return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers },
		body: JSON.stringify(body) }).then((response) => response.text());
}

// At a host that nobody knows a path that others have, too, is a call only when the answer has the shape.
const unlessError = (facts, early) => (v) => v.mode === 'error' ? [] : a.said(v, facts, early);

// Text Generation Inference: usage in headers of the one answer, in the last event of a stream.
const tgi = {
	call: (v) => post(`https://tgi.example.com/generate${streams(v) ? '_stream' : ''}`, { inputs: PROMPT,
		parameters: { max_new_tokens: 40, details: true } }),
	answer: (q, v) => a.by(v, {
		plain: () => {
			const one = a.json({ generated_text: a.TEXT, details: { finish_reason: 'eos_token', generated_tokens: 8,
				seed: null, prefill: [], tokens: [] } });
			Object.assign(one.headers, { 'x-compute-type': '1-gpu', 'x-prompt-tokens': '11',
				'x-generated-tokens': '8' });
			return one;
		},
		stream: () => a.sse(...a.WORDS.map((text, i) => ({ index: i + 1, token: { id: i, text, logprob: -0.1,
			special: false }, generated_text: null, details: null })), { index: 9, token: { id: 2, text: '</s>',
			logprob: -0.1, special: true }, generated_text: a.TEXT, details: { finish_reason: 'eos_token',
			generated_tokens: 8, input_length: 11, seed: null } }),
		error: () => ({ status: 422, ...a.json({ error: 'Input validation error', error_type: 'validation' }) }),
	}),
	said: unlessError({ service: 'unknown', family: 'tgi', operation: 'text_completion', max: 40,
		finish: 'eos_token', input: 11, output: 8 }),
};

const llamaCpp = {
	call: (v) => post('https://llama.example.com/completion', { prompt: PROMPT, n_predict: 40,
		...(streams(v) && { stream: true }) }),
	answer: (q, v) => {
		const last = { index: 0, content: v.mode === 'plain' ? a.TEXT : '', tokens: [], id_slot: 0, stop: true,
			model: 'gemma-3-4b', tokens_predicted: 8, tokens_evaluated: 40, truncated: false, stop_type: 'eos',
			tokens_cached: 47, timings: { cache_n: 30, prompt_n: 10, predicted_n: 8 } };
		return a.by(v, {
			plain: () => a.json(last),
			stream: () => a.sse(...a.WORDS.map((content, i) => ({ index: 0, content, tokens: [i], stop: false,
				id_slot: -1, tokens_predicted: i + 1, tokens_evaluated: 40 })), last),
			error: () => ({ status: 503, ...a.json({ error: { code: 503, message: 'Loading model',
				type: 'unavailable_error' } }) }),
		});
	},
	said: unlessError({ service: 'unknown', family: 'llama-cpp', operation: 'text_completion', max: 40,
		answered: 'gemma-3-4b', finish: 'eos', input: 40, output: 8, read: 30 },
		{ answered: undefined }),
};

const kobold = {
	modes: ['plain', 'stream'],
	call: (v) => post(`https://kobold.example.com/api/${streams(v) ? 'extra/generate/stream' : 'v1/generate'}`,
		{ prompt: PROMPT, max_length: 40 }),
	answer: (q, v) => a.by(v, {
		plain: () => a.json({ results: [{ text: a.TEXT, finish_reason: 'stop', logprobs: null, prompt_tokens: 11,
			completion_tokens: 8 }] }),
		stream: () => a.sse(...a.WORDS.map((token) => ['message', { token, finish_reason: null }]),
			['message', { token: '', finish_reason: 'stop' }]),
	}),
	said: (v) => a.said(v, { service: 'unknown', family: 'kobold', operation: 'text_completion', max: 40,
		finish: 'stop', ...(v.mode === 'plain' ? { input: 11, output: 8 } : { usage: 'estimated_text' }) }),
};

const kserve = {
	modes: ['plain', 'stream', 'cut'],
	call: (v) => post(`https://triton.example.com/v2/models/ensemble/generate${streams(v) ? '_stream' : ''}`,
		{ text_input: PROMPT, parameters: { stream: streams(v), max_tokens: 40 } }),
	answer: (q, v) => {
		const head = { model_name: 'ensemble', model_version: '1', sequence_end: false, sequence_id: 0 };
		return a.by(v, { plain: () => a.json({ ...head, text_output: a.TEXT }),
			stream: () => a.sse(...a.WORDS.map((text_output) => ({ ...head, text_output }))) });
	},
	said: (v) => a.said(v, { service: 'unknown', family: 'kserve', operation: 'text_completion', max: 40,
		model: 'ensemble', answered: 'ensemble', usage: 'estimated_text' }),
};

const rerank = {
	modes: ['plain', 'error'], codings: ['', 'gzip', 'br'],
	call: () => post('https://api.jina.ai/v1/rerank', { model: 'jina-reranker-v2', query: PROMPT, top_n: 1,
		documents: ['noon', 'night'] }, { authorization: 'Bearer jina_made_up' }),
	answer: (q, v) => a.by(v, {
		plain: () => a.json({ model: 'jina-reranker-v2', usage: { total_tokens: 38 }, results: [{ index: 0,
			relevance_score: 0.8 }] }),
		error: () => ({ status: 422, ...a.json({ detail: 'no' }) }),
	}),
	said: (v) => a.said(v, { service: 'jina', key: 'jina', family: 'rerank', operation: 'rerank',
		model: 'jina-reranker-v2', answered: 'jina-reranker-v2', input: 38, output: 0, status: 422 }),
};

// The pages of ChatGPT and Claude: sizes and models; what they say is estimated.
const chatgpt = {
	modes: ['stream', 'cut'],
	call: () => post('https://chatgpt.com/backend-api/f/conversation', { action: 'next', messages: [{ id: 'm',
		author: { role: 'user' }, content: { content_type: 'text', parts: [PROMPT] } }],
		parent_message_id: 'client-created-root', model: 'auto', timezone: 'UTC' }),
	answer: (q, v) => a.by(v, { stream: () => a.sse(['delta_encoding', '"v1"'], ['delta', { p: '', o: 'add', v: {
		message: { id: 'a', author: { role: 'assistant' }, content: { content_type: 'text', parts: [''] },
			status: 'in_progress', metadata: { model_slug: 'gpt-5' } }, conversation_id: 'c', error: null }, c: 0 }],
		...a.WORDS.map((w) => ['delta', { p: '/message/content/parts/0', o: 'append', v: w }]),
		{ type: 'message_stream_complete', conversation_id: 'c' }, '[DONE]') }),
	said: (v) => a.said(v, { service: 'chatgpt', family: 'web-app', operation: 'chat', messages: 1, model: 'auto',
		answered: 'gpt-5', usage: 'estimated_text' }),
};
const claude = {
	modes: ['stream', 'cut'],
	call: () => post('https://claude.ai/api/organizations/00000000-0000-4000-8000-000000000001/chat_conversations/' +
		'00000000-0000-4000-8000-000000000002/completion', { prompt: PROMPT, model: 'claude-sonnet-4-5-20250929',
		timezone: 'UTC', attachments: [], rendering_mode: 'messages' }),
	answer: (q, v) => a.by(v, { stream: () => a.sse(
		['message_start', { type: 'message_start', message: { id: 'c', type: 'message', role: 'assistant', model: '',
			content: [], stop_reason: null } }],
		...a.WORDS.map((text) => ['content_block_delta', { type: 'content_block_delta', index: 0,
			delta: { type: 'text_delta', text } }]),
		['message_delta', { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null } }]) }),
	said: (v) => a.said(v, { service: 'claude', family: 'web-app', operation: 'chat',
		model: 'claude-sonnet-4-5-20250929', finish: 'end_turn', usage: 'estimated_text' }),
};

// Others' models at Vertex, whose bodies are their own.
const rawPredict = {
	codings: ['', 'gzip'],
	call: (v) => post('https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/' +
		`anthropic/models/claude-sonnet-4-5@20250929:${streams(v) ? 'streamRawPredict' : 'rawPredict'}`,
		{ anthropic_version: 'vertex-2023-10-16', max_tokens: 100, messages: [{ role: 'user', content: PROMPT }],
			...(streams(v) && { stream: true }) }, { authorization: 'Bearer ya29.made-up' }),
	answer: (q, v) => a.by(v, a.anthropic({ model: 'claude-sonnet-4-5-20250929' })),
	said: (v) => a.said(v, { service: 'google-vertex-ai', key: 'google-oauth', family: 'vertex', operation: 'chat',
		messages: 1, max: 100, model: 'claude-sonnet-4-5@20250929', answered: 'claude-sonnet-4-5-20250929',
		tier: 'standard', finish: 'end_turn', input: 9525, output: 120, read: 8000, written: 1500,
		error: 'overloaded_error', status: 529 }, { input: 9525, read: 8000, written: 1500 }),
};
// Gemini without alt=sse: one array, piece by piece; and as Gemini CLI asks after a login.
const arrays = {
	modes: ['stream', 'cut'],
	call: () => post('https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:streamGenerateContent',
		{ contents: [{ parts: [{ text: PROMPT }] }] }, { 'x-goog-api-key': 'AIzaMadeUp' }),
	answer: (q, v) => a.by(v, { stream: () => {
		const { chunks } = a.gemini({ model: 'gemini-2.5-flash' }).stream();
		return { headers: { 'content-type': 'application/json' }, chunks: [...chunks.map((text, i) =>
			(i ? ',\r\n' : '[') + text.slice(6).trim()), ']'] };
	} }),
	said: (v) => a.said(v, { service: 'google-gemini-api', key: 'google', family: 'gemini',
		operation: 'generate_content', messages: 1, model: 'gemini-2.5-flash', answered: 'gemini-2.5-flash',
		finish: 'STOP', input: 900, output: 250, read: 512, reasoning: 200 }, { input: 900 }),
};
const codeAssist = {
	modes: ['plain', 'stream'],
	call: (v) => post(`https://cloudcode-pa.googleapis.com/v1internal:${streams(v) ? 'streamGenerateContent?alt=sse'
		: 'generateContent'}`, { model: 'gemini-2.5-pro', project: 'p', request: { contents: [{ role: 'user',
		parts: [{ text: PROMPT }] }] } }, { authorization: 'Bearer ya29.made-up' }),
	answer: (q, v) => {
		const like = a.gemini({ model: 'gemini-2.5-pro' });
		return a.by(v, { plain: () => a.json({ response: JSON.parse(like.plain().chunks[0]) }),
			stream: () => a.sse(...like.stream().chunks.map((text) => ({ response: JSON.parse(text.slice(6)) }))) });
	},
	said: (v) => a.said(v, { service: 'gemini-code-assist-cli', key: 'google-oauth', family: 'gemini',
		operation: 'generate_content', messages: 1, model: 'gemini-2.5-pro', answered: 'gemini-2.5-pro',
		finish: 'STOP', input: 900, output: 250, read: 512, reasoning: 200 }),
};

// Connect's envelopes around messages of Protocol Buffers: made up but for their lengths. Errors are JSON.
const envelope = (flags, bytes) => {
	const head = Buffer.alloc(5);
	head[0] = flags;
	head.writeUInt32BE(bytes.length, 1);
	return Buffer.concat([head, Buffer.from(bytes)]);
};
const message = (text) => Buffer.concat([Buffer.from([0x12, text.length]), Buffer.from(text)]);
const connect = (url, headers, facts) => ({
	modes: ['stream', 'error', 'cut'], codings: [''],
	call: () => fetch(url, { method: 'POST', headers: { 'content-type': 'application/connect+proto',
		'connect-protocol-version': '1', 'user-agent': 'connect-es/1.6.1', ...headers },
		body: envelope(0, message(PROMPT)) }).then((response) => response.text()),
	answer: (q, v) => ({ cut: v.mode === 'cut', headers: { 'content-type': 'application/connect+proto' },
		chunks: v.mode === 'error' ? [envelope(2, '{"error":{"code":"resource_exhausted","message":"no"}}')]
			: [...a.WORDS.map((w) => envelope(0, message(w))), envelope(2, '{}')] }),
	// the error comes in a stream that began well
	said: (v) => a.said(v, { key: 'jwt', family: 'connect-grpc', operation: 'chat', ...facts, status: 200,
		error: 'resource_exhausted', usage: 'none' }, { usage: 'none' }).map((fact) => ({ ...fact, stream: true })),
});
const cursor = connect('https://api2.cursor.sh/aiserver.v1.ChatService/StreamUnifiedChatWithTools',
	{ authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.made-up', 'x-cursor-client-version': '2.4.0',
		'x-ghost-mode': 'true' }, { service: 'cursor' });
const windsurf = connect('https://server.codeium.com/exa.api_server_pb.ApiServerService/GetChatMessage', {},
	{ service: 'windsurf', key: undefined });

export const plainly = [
	{ name: 'self-hosted', why: 'Model servers of one\'s own: TGI, llama.cpp, KoboldCpp, KServe.',
		members: [tgi, llamaCpp, kobold, kserve].map((one) => ({ codings: ['', 'gzip'], ...one })) },
	{ name: 'google-other', why: 'Another vendor\'s model at Vertex, Gemini\'s stream as an array, Code Assist.',
		members: [rawPredict, arrays, codeAssist] },
	{ name: 'cursor', why: 'Cursor and Windsurf: what is done, how much of it, and how it ended; the rest is theirs.',
		members: [cursor, windsurf] },
	{ name: 'web', why: 'The pages of ChatGPT and Claude, as far as model and sizes; a reranker.',
		members: [chatgpt, claude, rerank] },
];
