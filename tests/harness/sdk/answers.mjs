// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How each family's service answers. `say` is what it has to say, in the family's own terms.
export const WORDS = ['The', ' gnomon', ' of', ' a', ' sundial', ' tells', ' the', ' hour.'];
export const TEXT = WORDS.join('');

export const json = (value) => ({ headers: { 'content-type': 'application/json' }, chunks: [JSON.stringify(value)] });
const event = (name, data) =>
	`${name ? `event: ${name}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
export const sse = (...events) => ({
	headers: { 'content-type': 'text/event-stream; charset=utf-8' },
	chunks: events.map((e) => Array.isArray(e) ? event(...e) : event('', e)),
});
export const ndjson = (...lines) => ({
	headers: { 'content-type': 'application/x-ndjson' }, chunks: lines.map((l) => JSON.stringify(l) + '\n') });
// By the variant: the service's error, its stream (whole or cut), or its one document.
export const by = (variant, { plain, stream, error }) => {
	const from = { plain, stream, cut: stream, error }[variant.mode]();
	return { ...from, cut: variant.mode === 'cut', coding: variant.coding };
};

// What holds of every call; `facts` adds to it. A cut stream has told neither usage nor finish, unless `early`.
export function said(variant, facts, early) {
	const common = { version: variant.version === 2 ? '2' : '1.1', status: 200, outcome: 'success',
		stream: variant.mode === 'stream' || variant.mode === 'cut' };
	const { answered, tier, asked, status, error, finish, input, output, read, written, reasoning, usage,
		...rest } = facts;
	if (variant.mode === 'error')
		return [{ ...common, ...rest, ...(asked && { tier: asked }), status: status ?? 429, outcome: 'failure',
			error, usage: 'none' }];
	const told = { ...common, ...rest, answered, tier: tier ?? asked };
	if (variant.mode === 'cut')
		return [{ ...told, outcome: 'failure', usage: 'estimated_text', ...early }];
	return [{ ...told, finish, usage: usage ?? 'reported', input, output, read, written, reasoning }];
}

// ---- OpenAI, and those who speak like it ----
export function openaiChat(say) {
	const head = { id: 'chatcmpl-1', created: 1767225600, model: say.model,
		...(say.tier && { service_tier: say.tier }) };
	const chunk = (choices, more) => ({ object: 'chat.completion.chunk', ...head, choices, ...more });
	const nothing = say.usageUnasked ? {} : { usage: null };
	return {
		plain: () => json({ object: 'chat.completion', ...head, choices: [{ index: 0,
			message: { role: 'assistant', content: TEXT, refusal: null, ...say.message },
			finish_reason: 'stop' }], usage: say.usage, ...say.more }),
		stream: () => sse(
			chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }],
				{ ...nothing, obfuscation: 'aB3' }),
			...WORDS.map((w) => chunk([{ index: 0, delta: { content: w }, finish_reason: null }],
				{ ...nothing, obfuscation: 'x1Yz' })),
			chunk([{ index: 0, delta: {}, finish_reason: 'stop' }],
				say.inLast ? { usage: say.usage, ...say.more } : nothing),
			...(say.inLast || say.silent ? [] : [chunk([], { usage: say.usage })]), '[DONE]'),
		error: () => ({ status: 429, ...json({ error: { message: 'quota', type: 'insufficient_quota',
			param: null, code: 'insufficient_quota' } }) }),
	};
}
export const chatUsage = { prompt_tokens: 1200, completion_tokens: 340, total_tokens: 1540,
	prompt_tokens_details: { cached_tokens: 1024, audio_tokens: 0 },
	completion_tokens_details: { reasoning_tokens: 192, audio_tokens: 0, accepted_prediction_tokens: 0 } };

export function openaiResponses(say) {
	const response = (status, more) => ({ id: 'resp_1', object: 'response', created_at: 1767225600, status,
		error: null, incomplete_details: null, instructions: null, model: say.model, output: [],
		parallel_tool_calls: true, service_tier: say.tier, tools: [], usage: null, ...more });
	const item = { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant',
		content: [{ type: 'output_text', text: TEXT, annotations: [], logprobs: [] }] };
	const done = { output: [item], usage: say.usage };
	let number = 0;
	const told = (type, more) => [type, { type, sequence_number: number++, ...more }];
	return {
		plain: () => json(response('completed', done)),
		stream: () => sse(told('response.created', { response: response('in_progress') }),
			told('response.output_item.added', { output_index: 0, item: { ...item, content: [],
				status: 'in_progress' } }),
			told('response.content_part.added', { item_id: 'msg_1', output_index: 0, content_index: 0,
				part: { type: 'output_text', text: '', annotations: [] } }),
			...WORDS.map((delta) => told('response.output_text.delta',
				{ item_id: 'msg_1', output_index: 0, content_index: 0, delta, logprobs: [] })),
			told('response.output_text.done', { item_id: 'msg_1', output_index: 0, content_index: 0,
				text: TEXT, logprobs: [] }),
			told('response.output_item.done', { output_index: 0, item }),
			told('response.completed', { response: response('completed', done) })),
		error: () => ({ status: 429, ...json({ error: { message: 'slow down', type: 'rate_limit_error',
			param: null, code: 'rate_limit_exceeded' } }) }),
	};
}
export const responsesUsage = { input_tokens: 2100, input_tokens_details: { cached_tokens: 1920 },
	output_tokens: 410, output_tokens_details: { reasoning_tokens: 256 }, total_tokens: 2510 };

// ---- Anthropic: input without cache; the output of message_start is not the final one ----
export function anthropic(say) {
	const usage = { input_tokens: 25, cache_creation_input_tokens: 1500, cache_read_input_tokens: 8000,
		cache_creation: { ephemeral_5m_input_tokens: 500, ephemeral_1h_input_tokens: 1000 },
		service_tier: 'standard' };
	const message = { id: 'msg_01', type: 'message', role: 'assistant', model: say.model, content: [],
		stop_reason: null, stop_sequence: null, usage: { ...usage, output_tokens: 3 } };
	const told = (type, more) => [type, { type, ...more }];
	return {
		plain: () => json({ ...message, content: [{ type: 'text', text: TEXT }], stop_reason: 'end_turn',
			usage: { ...usage, output_tokens: 120 } }),
		stream: () => sse(told('message_start', { message }),
			told('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
			told('ping'),
			...WORDS.map((text) => told('content_block_delta', { index: 0,
				delta: { type: 'text_delta', text } })),
			told('content_block_stop', { index: 0 }),
			told('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null },
				usage: { output_tokens: 60 } }),
			told('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null },
				usage: { output_tokens: 120 } }),
			told('message_stop')),
		error: () => ({ status: 529, ...json({ type: 'error', error: { type: 'overloaded_error',
			message: 'Overloaded' }, request_id: 'req_1' }) }),
	};
}

// ---- Google: thoughts lie outside the candidates' count ----
export function gemini(say) {
	const usage = { promptTokenCount: 900, candidatesTokenCount: 50, thoughtsTokenCount: 200,
		cachedContentTokenCount: 512, totalTokenCount: 1150 };
	const chunk = (text, more) => ({ candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0,
		...more?.candidate }], modelVersion: say.model, responseId: 'r1',
		usageMetadata: more?.usage ?? { promptTokenCount: 900, totalTokenCount: 900 } });
	const last = { candidate: { finishReason: 'STOP' }, usage };
	return {
		plain: () => json(chunk(TEXT, last)),
		stream: () => sse(...WORDS.map((w) => chunk(w)), chunk('', last)),
		error: () => ({ status: 429, ...json({ error: { code: 429, message: 'Quota', status:
			'RESOURCE_EXHAUSTED' } }) }),
	};
}

// ---- AWS event stream: prelude and message with a CRC-32 each ----
const crcTable = Array.from({ length: 256 }, (_, n) => {
	for (let k = 0; k < 8; k++)
		n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
	return n >>> 0;
});
const crc32 = (bytes) => {
	let crc = 0xffffffff;
	for (const byte of bytes)
		crc = crcTable[(crc ^ byte) & 0xff] ^ (crc >>> 8);
	return (crc ^ 0xffffffff) >>> 0;
};
function frame(type, payload, kind = 'event') {
	const headers = Buffer.concat(Object.entries({ [`:${kind}-type`]: type, ':content-type': 'application/json',
		':message-type': kind }).map(([name, value]) => {
		const length = Buffer.alloc(2);
		length.writeUInt16BE(value.length);
		return Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([7]), length,
			Buffer.from(value)]);
	}));
	const body = Buffer.from(JSON.stringify(payload));
	const message = Buffer.alloc(16 + headers.length + body.length);
	message.writeUInt32BE(message.length, 0);
	message.writeUInt32BE(headers.length, 4);
	message.writeUInt32BE(crc32(message.subarray(0, 8)), 8);
	headers.copy(message, 12);
	body.copy(message, 12 + headers.length);
	message.writeUInt32BE(crc32(message.subarray(0, message.length - 4)), message.length - 4);
	return message;
}
const eventstream = (...chunks) => ({ headers: { 'content-type': 'application/vnd.amazon.eventstream' }, chunks });
const throttled = () => ({ status: 429, headers: { 'content-type': 'application/json',
	'x-amzn-errortype': 'ThrottlingException' }, chunks: ['{"message":"Too many tokens"}'] });

export const converse = () => ({
	plain: () => json({ output: { message: { role: 'assistant', content: [{ text: TEXT }] } },
		stopReason: 'end_turn', metrics: { latencyMs: 800 }, usage: { inputTokens: 30, outputTokens: 90,
			totalTokens: 2620, cacheReadInputTokens: 2000, cacheWriteInputTokens: 500 } }),
	stream: () => eventstream(frame('messageStart', { role: 'assistant' }),
		...WORDS.map((text) => frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })),
		frame('contentBlockStop', { contentBlockIndex: 0 }), frame('messageStop', { stopReason: 'end_turn' }),
		frame('metadata', { usage: { inputTokens: 30, outputTokens: 90, totalTokens: 2620,
			cacheReadInputTokens: 2000, cacheWriteInputTokens: 500 }, metrics: { latencyMs: 800 } })),
	error: throttled,
});
export function invoke(say) {
	const chunks = () => anthropic(say).stream().chunks.map((text) => JSON.parse(text.split('data: ')[1]));
	return {
		plain: () => {
			const one = anthropic(say).plain();
			one.headers['x-amzn-bedrock-input-token-count'] = '25';
			one.headers['x-amzn-bedrock-output-token-count'] = '120';
			return one;
		},
		stream: () => eventstream(...chunks().map((value, i, all) => frame('chunk', {
			bytes: Buffer.from(JSON.stringify(i === all.length - 1 ? { ...value,
				'amazon-bedrock-invocationMetrics': { inputTokenCount: 25, outputTokenCount: 120,
					invocationLatency: 900, firstByteLatency: 300, cacheReadInputTokenCount: 8000,
					cacheWriteInputTokenCount: 1500 } } : value)).toString('base64'), p: 'abcd' }))),
		error: throttled,
	};
}

// ---- Cohere: what is billed is not all that the model saw ----
export const cohereV2 = () => {
	const usage = { billed_units: { input_tokens: 17, output_tokens: 9 },
		tokens: { input_tokens: 80, output_tokens: 12 } };
	return {
		plain: () => json({ id: 'c1', finish_reason: 'COMPLETE', message: { role: 'assistant',
			content: [{ type: 'text', text: TEXT }] }, usage }),
		stream: () => sse(['message-start', { id: 'c1', type: 'message-start', delta: { message: {
				role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } } }],
			['content-start', { type: 'content-start', index: 0, delta: { message: { content: {
				type: 'text', text: '' } } } }],
			...WORDS.map((text) => ['content-delta', { type: 'content-delta', index: 0, delta: { message: {
				content: { text } } } }]),
			['content-end', { type: 'content-end', index: 0 }],
			['message-end', { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage } }], '[DONE]'),
		error: () => ({ status: 429, ...json({ id: 'e1', message: 'trial key' }) }),
	};
};

// ---- Ollama ----
export function ollama(say, part) {
	const head = { model: say.model, created_at: '2026-01-01T00:00:00.000000Z' };
	const last = { done: true, done_reason: 'stop', total_duration: 5e9, load_duration: 1e6, prompt_eval_count: 26,
		prompt_eval_duration: 1e8, eval_count: 259, eval_duration: 4e9 };
	return {
		plain: () => json({ ...head, ...part(TEXT), ...last }),
		stream: () => ndjson(...WORDS.map((w) => ({ ...head, ...part(w), done: false })),
			{ ...head, ...part(''), ...last }),
		error: () => ({ status: 404, ...json({ error: `model '${say.model}' not found` }) }),
	};
}
