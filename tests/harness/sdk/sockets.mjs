// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What SDKs do on WebSockets: OpenAI's Realtime and Responses APIs, Gemini's Live API.
import { WebSocketServer } from 'ws';
import OpenAI, { AzureOpenAI } from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { GoogleGenAI, Modality } from '@google/genai';
import { WORDS, openaiResponses, responsesUsage, said } from './answers.mjs';

const PROMPT = 'How does a sundial tell the hour?';
const server = { plain: new WebSocketServer({ noServer: true }),
	deflated: new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } }) };

// Takes the socket and talks: `say(message)` gives the answers to one message; a cut one ends in the middle.
function accept({ headers, request, socket }, variant, say, first = []) {
	server[variant.coding === 'deflate' ? 'deflated' : 'plain'].handleUpgrade(request ?? { headers, method: 'GET' },
		socket, Buffer.alloc(0), (ws) => {
			first.forEach((one) => ws.send(JSON.stringify(one)));
			ws.on('message', (bytes) => {
				const answers = say(JSON.parse(bytes)) ?? [];
				const last = variant.mode === 'cut' ? Math.ceil(answers.length / 2) : answers.length;
				answers.slice(0, last).forEach((one) => ws.send(JSON.stringify(one)));
				if (answers.length > 1 && variant.mode === 'cut')
					setTimeout(() => ws.terminate(), 20);
			});
		});
}

const until = (emitter, done, mode) => new Promise((end) => {
	emitter.on(done, end);
	emitter.on('error', () => end());
	if (mode === 'cut')
		setTimeout(end, 200);
});
const modes = { modes: ['stream', 'error', 'cut'], codings: ['', 'deflate'] };
// one call on a socket; both forms of the stream are had over HTTP/1.1 by asking for the other version, too
const of = (variant, facts) => said({ ...variant, version: 1 }, facts).map((fact) => ({ ...fact, status: 101,
	stream: true }));

function realtimeSay(error) {
	let audio = 0;
	const response = (status, more) => ({ object: 'realtime.response', id: 'resp_1', status, status_details: null,
		output: [], ...more });
	return (message) => message.type !== 'response.create' ? [{ type: 'conversation.item.added', event_id: 'e0' }]
		: error ? [{ type: 'error', event_id: 'e9', error: { type: 'invalid_request_error', code: 'no_quota',
			message: 'no' } }]
		: [{ type: 'response.created', event_id: 'e1', response: response('in_progress') },
			...WORDS.map((delta) => ({ type: 'response.output_text.delta', event_id: 'e2', delta })),
			{ type: 'response.output_audio.delta', event_id: 'e3', delta: 'AAAA'.repeat(20 + audio++) },
			{ type: 'response.done', event_id: 'e4', response: response('completed', { usage: {
				total_tokens: 253, input_tokens: 132, output_tokens: 121, input_token_details: {
					text_tokens: 119, audio_tokens: 13, cached_tokens: 64 }, output_token_details: {
					text_tokens: 30, audio_tokens: 91 } } }) }];
}

async function realtimeCall(rt, variant, times) {
	await new Promise((open) => rt.socket.on('open', open));
	rt.send({ type: 'session.update', session: { type: 'realtime', instructions: 'Be brief.', tools: [{
		type: 'function', name: 'hour' }], max_output_tokens: 500 } });
	for (let i = 0; i < times; i++) {
		rt.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content: [{
			type: 'input_text', text: PROMPT }] } });
		rt.send({ type: 'response.create' });
		await until(rt, 'response.done', variant.mode);
	}
	rt.close();
	await new Promise((done) => setTimeout(done, 30));
}

const realtimeFacts = { service: 'openai', key: 'openai', family: 'openai-realtime', operation: 'chat',
	model: 'gpt-realtime', answered: 'gpt-realtime-2025-08-28', messages: 1, finish: 'completed', input: 132,
	output: 121, read: 64, error: 'invalid_request_error' };
const session = [{ type: 'session.created', event_id: 'e', session: { type: 'realtime', object: 'realtime.session',
	model: 'gpt-realtime-2025-08-28' } }];
const realtime = {
	...modes, http2: false,
	call: (v) => realtimeCall(new OpenAIRealtimeWS({ model: 'gpt-realtime' },
		new OpenAI({ apiKey: 'sk-proj-made-up' })), v, v.mode === 'stream' ? 2 : 1),
	answer: (q, v) => accept(q, v, realtimeSay(v.mode === 'error'), session),
	// the session's settings and its model are told once, so the second call does not have them
	said: (v) => {
		const first = { tools: 1, max: 500 }, known = { answered: realtimeFacts.answered };
		const told = of(v, { ...realtimeFacts, ...first });
		if (v.mode === 'stream')
			told.push(...of(v, { ...realtimeFacts, answered: undefined }));
		if (v.mode === 'cut')
			told[0].usage = 'none';
		if (v.mode === 'error')
			Object.assign(told[0], known);
		return told;
	},
};
const azureRealtime = {
	...modes, modes: ['stream'], http2: false,
	call: async (v) => realtimeCall(await OpenAIRealtimeWS.azure(new AzureOpenAI({ apiKey: 'made-up',
		endpoint: 'https://acme.openai.azure.com', apiVersion: '2025-04-01-preview', deployment: 'ours' })), v, 1),
	answer: (q, v) => accept(q, v, realtimeSay(false), session),
	said: (v) => of(v, { ...realtimeFacts, service: 'azure-openai', key: 'azure', family: 'azure-openai',
		model: undefined, tools: 1, max: 500 }),
};

const responses = {
	...modes, http2: false,
	call: async (v) => {
		const ws = new ResponsesWS(new OpenAI({ apiKey: 'sk-proj-made-up' }), { reconnect: false });
		for (let i = 0; i < (v.mode === 'stream' ? 2 : 1); i++) {
			ws.send({ type: 'response.create', model: 'gpt-5', input: [{ role: 'user', content: PROMPT }],
				max_output_tokens: 900 });
			await until(ws, 'response.completed', v.mode);
		}
		ws.close();
		await new Promise((done) => setTimeout(done, 30));
	},
	answer: (q, v) => accept(q, v, () => v.mode === 'error' ? [{ type: 'error', status: 429, error: {
		type: 'rate_limit_error', code: 'rate_limit_exceeded', message: 'no' } }]
		: openaiResponses({ model: 'gpt-5-2025-08-07', tier: 'default', usage: responsesUsage }).stream().chunks
			.map((text) => JSON.parse(text.split('data: ')[1]))),
	said: (v) => {
		const told = of(v, { service: 'openai', key: 'openai', family: 'openai-responses', operation: 'chat',
			messages: 1, max: 900, model: 'gpt-5', answered: 'gpt-5-2025-08-07', tier: 'default',
			finish: 'completed', input: 2100, output: 410, read: 1920, reasoning: 256,
			error: 'rate_limit_error' });
		return v.mode === 'stream' ? [...told, ...told] : told;
	},
};

const live = {
	...modes, modes: ['stream', 'cut'], http2: false,
	call: async (v) => {
		let turnEnded = () => {};
		const open = await new GoogleGenAI({ apiKey: 'AIzaMadeUp' }).live.connect({ model: 'gemini-live-2.5-flash',
			config: { responseModalities: [Modality.TEXT], maxOutputTokens: 300 }, callbacks: { onmessage: (m) =>
				m.serverContent?.turnComplete && turnEnded(), onerror: () => {}, onclose: () => turnEnded() } });
		for (let i = 0; i < (v.mode === 'stream' ? 2 : 1); i++) {
			const ended = new Promise((done) => { turnEnded = done; });
			open.sendClientContent({ turns: [{ role: 'user', parts: [{ text: PROMPT }] }], turnComplete: true });
			await ended;
		}
		open.close();
		await new Promise((done) => setTimeout(done, 30));
	},
	answer: (q, v) => accept(q, v, (message) => message.setup ? [{ setupComplete: {} }]
		: [...WORDS.map((text) => ({ serverContent: { modelTurn: { parts: [{ text }] } } })),
			{ serverContent: { turnComplete: true }, usageMetadata: { promptTokenCount: 70,
				responseTokenCount: 20, thoughtsTokenCount: 5, totalTokenCount: 95 } }]),
	said: (v) => {
		const told = of(v, { service: 'google-gemini-api', key: 'google', family: 'gemini-live',
			operation: 'generate_content', model: 'models/gemini-live-2.5-flash', messages: 1,
			finish: 'turn_complete', input: 70, output: 25, reasoning: 5 });
		return v.mode === 'stream' ? [{ ...told[0], max: 300 }, ...told] : [{ ...told[0], max: 300 }];
	},
};

export const sockets = [{ name: 'sockets', why: 'WebSockets: OpenAI\'s Realtime and Responses APIs, Gemini\'s Live ' +
	'API; compressed, several calls on one, an error, and cut.', members: [realtime, azureRealtime, responses, live] }];
