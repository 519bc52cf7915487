// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Stands between a client and the stand-in service: ends TLS, notes the plaintext of both directions in the
// pieces and the order in which it came, and hands it on. Every connection of this process ends here, whatever
// host it is for, so nothing leaves the machine and requests carry the real names.
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { Duplex } from 'node:stream';
import { syncBuiltinESMExports } from 'node:module';

let number = 0; // of a piece, in all connections

// The server's end of a recorded connection.
class Recorded extends Duplex {
	constructor(socket, pieces) {
		super({ allowHalfOpen: true });
		this.socket = socket;
		this.pieces = pieces;
		// http and http2 look at these
		this.encrypted = true;
		this.alpnProtocol = socket.alpnProtocol;
		socket.on('data', (bytes) => {
			// a copy: ws unmasks where the bytes stand
			pieces.push({ dir: 'out', bytes: Buffer.from(bytes), number: ++number });
			this.push(bytes);
		});
		socket.on('end', () => this.push(null));
		socket.on('error', () => this.destroy());
		socket.on('close', () => this.destroy());
	}
	_read() {}
	_write(bytes, encoding, done) {
		this.pieces.push({ dir: 'in', bytes: Buffer.from(bytes), number: ++number });
		this.socket.write(bytes, () => done());
	}
	_final(done) {
		this.socket.end();
		done();
	}
	_destroy(error, done) {
		this.socket.destroy();
		done(error);
	}
	setNoDelay() {}
	setKeepAlive() {}
	setTimeout() {}
}

export class Tap {
	// `handler`: of node's http; also for HTTP/2. `upgrade`: of its "upgrade" event.
	constructor(key, cert, handler, upgrade) {
		this.connections = [];
		this.sockets = new Set();
		this.h1 = http.createServer({ keepAliveTimeout: 60000 }, handler);
		this.h1.on('upgrade', upgrade);
		this.h2 = http2.createServer({}, handler);
		this.h2.on('sessionError', () => {});
		const take = (socket) => {
			const pieces = [];
			this.connections.push({ pieces, protocol: socket.alpnProtocol || 'http/1.1' });
			this.sockets.add(socket);
			socket.on('close', () => this.sockets.delete(socket));
			const server = socket.alpnProtocol === 'h2' ? this.h2 : this.h1;
			server.emit('connection', new Recorded(socket, pieces));
		};
		this.protocols = ['http/1.1'];
		this.tls = tls.createServer({ key, cert, ALPNCallback: ({ protocols }) =>
			this.protocols.find((p) => protocols.includes(p)) }, take);
		this.tls.on('tlsClientError', (error) => console.error('tls:', error.message));
		this.plain = net.createServer(take);
	}
	async listen() {
		await new Promise((done) => this.tls.listen(0, '127.0.0.1', done));
		await new Promise((done) => this.plain.listen(0, '127.0.0.1', done));
	}
	// What was recorded since the last call; the connections end with it.
	async take() {
		const taken = this.connections.filter((c) => c.pieces.length);
		await new Promise((done) => setTimeout(done, 15));
		// both ends, so that no pool keeps one for the next exchange
		while (this.sockets.size) {
			for (const socket of this.sockets)
				socket.destroy();
			await new Promise((done) => setTimeout(done, 15));
		}
		this.connections = [];
		return taken;
	}
	close() {
		this.tls.close();
		this.plain.close();
	}
}

// From now on every connection of this process, by whatever module, goes to the tap.
export function redirect(tap) {
	const tlsConnect = tls.connect, netConnect = net.connect;
	const options = (args) => {
		const given = typeof args[0] === 'object' ? { ...args[0] } : {
			port: args[0], host: typeof args[1] === 'string' ? args[1] : undefined,
			...args.find((a) => a && typeof a === 'object') };
		return [given, args.find((a) => typeof a === 'function')];
	};
	const keep = (socket) => {
		tap.sockets.add(socket);
		return socket.on('close', () => tap.sockets.delete(socket));
	};
	tls.connect = (...args) => {
		const [given, done] = options(args);
		const name = given.servername || given.host || given.hostname;
		return keep(tlsConnect({ ...given, path: undefined, socket: undefined, host: '127.0.0.1',
			port: tap.tls.address().port, rejectUnauthorized: false, checkServerIdentity: () => undefined,
			servername: net.isIP(name || '') ? '' : name, session: undefined }, done));
	};
	net.connect = net.createConnection = (...args) => {
		const [given, done] = options(args);
		return netConnect({ ...given, path: undefined, host: '127.0.0.1', port: tap.plain.address().port }, done);
	};
	syncBuiltinESMExports();
}

const escape = (bytes) => {
	let text = '';
	for (const byte of bytes) {
		if (byte === 0x0a) text += '\\n';
		else if (byte === 0x0d) text += '\\r';
		else if (byte === 0x22 || byte === 0x5c) text += '\\' + String.fromCharCode(byte);
		else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
		else text += '\\x' + byte.toString(16).padStart(2, '0');
	}
	return text;
};

// All connections' pieces in the order in which they came. Neighbours of one direction are one: where they were
// cut is told by other tests.
function joined(connections) {
	const out = [];
	const all = connections.flatMap(({ pieces }, of) => pieces.map((piece) => ({ ...piece, of })));
	for (const piece of all.sort((a, b) => a.number - b.number)) {
		const last = out.at(-1);
		if (last && last.of === piece.of && last.dir === piece.dir &&
		    last.bytes.length + piece.bytes.length < 16384)
			last.bytes = Buffer.concat([last.bytes, piece.bytes]);
		else
			out.push(piece);
	}
	return out;
}

// One golden case: the exchanges one after the other, each on connections of its own.
export function writeScript(path, process, exchanges) {
	let text = `#gnomon-script 1\nprocess pid=100 uid=1000 gid=1000 comm=${process} start=1\nat 1\n`;
	let first = 1;
	for (const { said, connections } of exchanges) {
		const at = (of) => `pid=100 handle=${0x100 + first + of}`;
		for (const fact of said)
			text += `# said ${JSON.stringify(fact)}\n`;
		connections.forEach((c, of) => {
			text += `socket established cookie=${first + of} role=connected pid=100 ` +
				`local=192.0.2.10:${40000 + first + of} remote=203.0.113.7:443\n`;
			text += `link ${at(of)} cookie=${first + of}\n`;
		});
		for (const { dir, bytes, of } of joined(connections))
			text += `segment ${at(of)} dir=${dir} "${escape(bytes)}"\n`;
		text += 'at +0.5\n';
		connections.forEach((c, of) => {
			text += `end ${at(of)}\nsocket closed cookie=${first + of} sent=1000 received=1000\n`;
		});
		first += connections.length;
	}
	fs.writeFileSync(path, text);
}
