// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The Model Context Protocol's own SDK: a session with a tool call, over streamable HTTP.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { json, sse } from './answers.mjs';

const results = {
	initialize: () => ({ protocolVersion: '2025-06-18', capabilities: { tools: {} },
		serverInfo: { name: 'hours', version: '1.0' } }),
	'tools/list': () => ({ tools: [{ name: 'tell_hour', inputSchema: { type: 'object' } }] }),
	'tools/call': () => ({ content: [{ type: 'text', text: 'noon' }] }),
};

function answer(request, variant) {
	if (request.method !== 'POST')
		return { status: 405, headers: { allow: 'POST' }, chunks: ['no'] };
	const { id, method } = JSON.parse(request.body);
	if (id === undefined)
		return { status: 202 };
	const called = method === 'tools/call';
	const reply = called && variant.mode === 'error'
		? { jsonrpc: '2.0', id, error: { code: -32602, message: 'Unknown tool' } }
		: { jsonrpc: '2.0', id, result: results[method]() };
	const made = variant.mode === 'stream' || variant.mode === 'cut'
		? sse(...(called ? [['message', { jsonrpc: '2.0', method: 'notifications/message', params: {
			level: 'info', data: 'x' } }]] : []), ['message', reply]) : json(reply);
	made.headers['mcp-session-id'] = 'session-1';
	return { ...made, coding: variant.coding, cut: called && variant.mode === 'cut' };
}

async function call(variant) {
	const client = new Client({ name: 'recorder', version: '1.0' });
	await client.connect(new StreamableHTTPClientTransport(new URL('https://mcp.example.com/mcp'), {
		reconnectionOptions: { maxRetries: 0, initialReconnectionDelay: 1, maxReconnectionDelay: 1,
			reconnectionDelayGrowFactor: 1 } }));
	await client.listTools();
	// a cut answer is waited for in vain
	await client.callTool({ name: 'tell_hour', arguments: { where: 'home' } }, undefined,
		{ timeout: variant.mode === 'cut' ? 300 : 5000 });
}

function said(variant) {
	const of = (method, more) => ({ version: variant.version === 2 ? '2' : '1.1', status: 200, outcome: 'success',
		service: 'unknown', family: 'mcp-jsonrpc', usage: 'none', method, ...more });
	const last = { tool: 'tell_hour', operation: 'execute_tool' };
	if (variant.mode === 'error')
		Object.assign(last, { error: '-32602', outcome: 'failure' });
	if (variant.mode === 'cut')
		Object.assign(last, { outcome: 'failure' });
	return [of('initialize', { server: 'hours' }), of('tools/list'), of('tools/call', last)];
}

export const mcp = { name: 'mcp', why: 'The SDK of the Model Context Protocol: a session with a tool call.',
	codings: ['', 'gzip', 'br'], call, answer, said };
