// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// node record.mjs GOLDEN_DIRECTORY [CASE...]: runs the clients of cases.mjs, see `record`.
import fs from 'node:fs';
import zlib from 'node:zlib';
import { Tap, redirect, writeScript } from './tap.mjs';
import { cases } from './cases.mjs';

const codings = {
	gzip: () => zlib.createGzip(), deflate: () => zlib.createDeflate(),
	br: () => zlib.createBrotliCompress(), zstd: () => zlib.createZstdCompress(),
};

// What a family is called in, how: every coding once at least in each form of answer.
const variants = [
	['plain', 1, ''], ['plain', 1, 'gzip'], ['plain', 2, 'br'], ['plain', 2, 'zstd'], ['plain', 1, 'deflate'],
	['stream', 1, ''], ['stream', 2, ''], ['stream', 1, 'gzip'], ['stream', 2, 'br'], ['stream', 1, 'zstd'],
	['stream', 2, 'deflate'],
	['stream', 1, 'deflate'], ['error', 1, ''], ['error', 2, 'gzip'],
	['cut', 1, ''], ['cut', 2, ''], ['cut', 1, 'gzip'],
].map(([mode, version, coding]) => ({ mode, version, coding }));

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
let answer, failed = 0;

async function reply(request, response) {
	const parts = [];
	for await (const part of request)
		parts.push(part);
	const body = Buffer.concat(parts);
	const { status = 200, headers = {}, chunks = [], cut, coding } =
		await answer({ method: request.method, path: request.url, headers: request.headers, body });
	const encoder = coding && chunks.length ? codings[coding]() : null;
	response.sendDate = false;
	if (!chunks.length) {
		response.writeHead(status, headers);
		response.end();
		return;
	}
	if (chunks.length === 1 && !encoder)
		headers['content-length'] = Buffer.byteLength(chunks[0]);
	response.writeHead(status, encoder ? { ...headers, 'content-encoding': coding } : headers);
	if (encoder)
		encoder.on('data', (bytes) => response.write(bytes));
	const last = cut ? Math.ceil(chunks.length / 2) : chunks.length;
	for (const chunk of chunks.slice(0, last)) {
		if (!encoder)
			response.write(chunk);
		else
			await new Promise((done) => encoder.write(chunk, () => encoder.flush(done)));
		await sleep(2);
	}
	if (cut) {
		await sleep(10);
		if (response.stream)
			response.stream.close(2); // INTERNAL_ERROR
		else
			response.socket.destroy();
		return;
	}
	if (encoder)
		await new Promise((done) => encoder.on('end', done).end());
	response.end();
}

// The client's mistakes are mistakes; that it reports what the service did to it is its duty.
async function exchange(tap, item, variant) {
	const expects = variant.mode === 'error' || variant.mode === 'cut';
	let error;
	answer = (request) => item.answer(request, variant);
	tap.protocols = variant.version === 2 ? ['h2', 'http/1.1'] : ['http/1.1'];
	try {
		await Promise.race([item.call(variant), sleep(8000).then(() => { throw new Error('no end'); })]);
	} catch (caught) {
		error = caught;
	}
	if (error && (!expects || error.message === 'no end')) {
		console.error(`${item.name}: ${JSON.stringify(variant)}:`, error);
		failed++;
	}
	const connections = await tap.take();
	if (!connections.length) {
		console.error(`${item.name}: ${JSON.stringify(variant)}: nothing was recorded`);
		failed++;
	}
	const wanted = variant.version === 2 && item.http2 !== false ? 'h2' : 'http/1.1';
	for (const c of connections.filter((one) => one.protocol !== wanted)) {
		console.error(`${item.name}: ${JSON.stringify(variant)}: spoke ${c.protocol}`);
		failed++;
	}
	return { connections, said: item.said(variant), cut: variant.mode === 'cut' };
}

const [directory, ...names] = process.argv.slice(2);
const tap = new Tap(fs.readFileSync(new URL('key.pem', import.meta.url)),
	fs.readFileSync(new URL('cert.pem', import.meta.url)), (q, r) => reply(q, r).catch((e) => console.error(e)),
	(request, socket) => answer({ method: 'GET', path: request.url, headers: request.headers, request, socket }));
await tap.listen();
redirect(tap);
console.warn = () => {}; // models that SDKs think old
process.on('unhandledRejection', () => {});
process.on('uncaughtException', (error) => console.error('uncaught:', error.message));
for (const item of cases) {
	if (names.length && !names.includes(item.name))
		continue;
	const exchanges = [];
	for (const variant of variants)
		for (const one of item.members ?? [item]) {
			const modes = one.modes ?? ['plain', 'stream', 'error', 'cut'];
			if (modes.includes(variant.mode) && !(one.http2 === false && variant.version === 2) &&
			    !(one.http1 === false && variant.version === 1) &&
			    !(one.codings && !one.codings.includes(variant.coding)))
				exchanges.push(await exchange(tap, { name: item.name, ...one }, variant));
		}
	const at = `${directory}/sdk-${item.name}`;
	fs.mkdirSync(at, { recursive: true });
	writeScript(`${at}/input.script`, item.comm ?? 'node', exchanges);
	// however the bytes are cut, the facts are the same
	const audit = 'gnomon audit --format json --events llm --fail-on critical -r';
	fs.writeFileSync(`${at}/command`, `${audit} input.script | facts | tee whole && recut input.script >cut.script && ` +
		`${audit} cut.script | facts | diff whole -\n`);
	fs.writeFileSync(`${at}/why`, item.why + '\n');
	console.log(`${item.name}: ${exchanges.length} exchanges, ${fs.statSync(`${at}/input.script`).size} bytes`);
}
tap.close();
process.exit(failed ? 1 : 0);
