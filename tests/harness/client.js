// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// client.js HOST,PATH,MODE,MODEL,INPUT,OUTPUT...: calls the stand-in service as tests/harness/client does, by
// node's https module, so under node, bun and deno alike. MODE is whole or stream. A call COUNTx before the
// host makes it that many parallel keep-alive connections with three requests each.
// Prints "MODEL STATUS EPOCH-OF-THE-END PORT PID" for each call.
const https = require('https');

function body(call, model) {
	const json = {model, max_tokens: 64, messages: [{role: 'user', content: 'What casts the shadow?'}]};
	if (call.mode === 'stream') {
		json.stream = true;
		if (call.path.endsWith('/chat/completions'))
			json.stream_options = {include_usage: true};
	}
	return JSON.stringify(json);
}

function request(call, model, agent) {
	const data = body(call, model);
	return new Promise((resolve, reject) => {
		const sent = https.request({host: call.host, path: call.path, method: 'POST', agent, headers: {
			'content-type': 'application/json', 'content-length': Buffer.byteLength(data),
			authorization: 'Bearer sk-test-0000',
			'x-fake-input': call.input, 'x-fake-output': call.output,
		}}, (response) => {
			const port = response.socket.localPort;
			response.on('data', () => {});
			response.on('end', () => {
				console.log(model, response.statusCode, Date.now() / 1000, port, process.pid);
				resolve();
			});
		});
		sent.on('error', reject);
		sent.end(data);
	});
}

async function connection(call, number) {
	const agent = new https.Agent({keepAlive: true, maxSockets: 1});
	for (let i = 0; i < (call.count > 1 ? 3 : 1); i++)
		await request(call, call.count > 1 ? `${call.model}-${number}-${i}` : call.model, agent);
	agent.destroy();
}

async function main() {
	for (const word of process.argv.slice(2)) {
		const parts = word.split(',');
		const times = /^(\d+)x(.*)$/.exec(parts[0]);
		const call = {count: times ? +times[1] : 1, host: times ? times[2] : parts[0], path: parts[1],
			mode: parts[2], model: parts[3], input: parts[4], output: parts[5]};
		await Promise.all(Array.from({length: call.count}, (_, i) => connection(call, i)));
	}
}

main().catch((error) => { console.error(String(error)); process.exit(1); });
