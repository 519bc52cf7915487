// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// sdk_client.mjs MODULES NAME MODEL: one call by a vendor's SDK, installed below MODULES, streamed where the name says
// so. Prints what it was answered.
import {createRequire} from 'node:module';
import {pathToFileURL} from 'node:url';

const [modules, name, model] = process.argv.slice(2);
const find = createRequire(`${modules}/x.js`);
const load = (path) => import(pathToFileURL(find.resolve(path)));
const messages = [{role: 'user', content: 'What casts the shadow?'}];
const apiKey = 'sk-test';

async function read(stream) {
	let count = 0;
	for await (const part of stream)
		count += part ? 1 : 0;
	return `${count} parts`;
}

const calls = {
	async openai() {
		const {default: OpenAI} = await load('openai');
		return new OpenAI({apiKey}).chat.completions.create({model, messages});
	},
	async 'openai-stream'() {
		const {default: OpenAI} = await load('openai');
		return read(await new OpenAI({apiKey}).responses.create({model, input: 'What casts?', stream: true}));
	},
	async anthropic() {
		const {default: Anthropic} = await load('@anthropic-ai/sdk');
		return new Anthropic({apiKey}).messages.create({model, max_tokens: 64, messages});
	},
	async 'anthropic-stream'() {
		const {default: Anthropic} = await load('@anthropic-ai/sdk');
		return read(await new Anthropic({apiKey}).messages.create({model, max_tokens: 64, messages, stream: true}));
	},
	async genai() {
		const {GoogleGenAI} = await load('@google/genai');
		return (await new GoogleGenAI({apiKey}).models.generateContent({model, contents: 'What casts?'})).text;
	},
	async 'genai-stream'() {
		const {GoogleGenAI} = await load('@google/genai');
		return read(await new GoogleGenAI({apiKey}).models.generateContentStream({model, contents: 'What casts?'}));
	},
	async ollama() {
		const {Ollama} = await load('ollama');
		return read(await new Ollama({host: 'https://ollama.com'}).chat({model, messages, stream: true}));
	},
	async mistral() {
		const {Mistral} = await load('@mistralai/mistralai');
		return new Mistral({apiKey}).chat.complete({model, messages});
	},
	async 'ai-sdk'() {
		const [{generateText}, {createOpenAI}] = [await load('ai'), await load('@ai-sdk/openai')];
		return (await generateText({model: createOpenAI({apiKey})(model), prompt: 'What casts?'})).text;
	},
	async 'ai-sdk-stream'() {
		const [{streamText}, {createOpenAI}] = [await load('ai'), await load('@ai-sdk/openai')];
		return read(streamText({model: createOpenAI({apiKey}).chat(model), prompt: 'What casts?'}).textStream);
	},
	async groq() {
		const {default: Groq} = await load('groq-sdk');
		return new Groq({apiKey}).chat.completions.create({model, messages});
	},
	// what the runtime has built in: HTTP/2 from node 26 on
	async fetch() {
		const response = await fetch('https://api.openai.com/v1/chat/completions', {
			method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify({model, messages})});
		return response.json();
	},
};

console.log(name, JSON.stringify(await calls[name]()));
