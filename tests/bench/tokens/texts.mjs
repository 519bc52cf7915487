// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Texts of Debian packages, for calibrate.mjs: they are read where they were unpacked and never copied.
//
// gnome-user-docs, fortunes and one half of debian-handbook (by blocks of 32 paragraphs) are for the fit, the other
// half is held out. Programs are those of this machine's C headers and Python library, halved by file.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const plain = (html) => html.replace(/<[^>]*>/g, '')
  .replace(/&(#x?[0-9a-f]+|\w+);/gi, (_, e) => e[0] !== '#' ? ENTITIES[e] ?? ' '
    : String.fromCodePoint(e[1] === 'x' ? parseInt(e.slice(2), 16) : Number(e.slice(1))))
  .replace(/\s+/g, ' ').trim();

function files(directory, wanted) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1)).flatMap((entry) => {
    const path = join(directory, entry.name);
    return entry.isDirectory() ? files(path, wanted) : entry.isFile() && wanted.test(entry.name) ? [path] : [];
  });
}

// Paragraphs once each, without those that were left in English.
function paragraphs(directory, wanted, tag, english) {
  const list = new Set(files(directory, wanted).flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(tag)].map(([, html]) => plain(html))));
  return [...list].filter((text) => Buffer.byteLength(text) > 60 && !english?.has(text));
}

function languageOf(name) {
  const [language, region] = name.toLowerCase().split(/[-_@]/);
  if (name === 'C') return 'en';
  if (region === 'latin') return null; // of languages in two scripts the usual one
  return name.match(/^zh.TW$/) ? 'zh-tw' : language;
}

function translations(to, directory, english, wanted, tag) {
  if (!existsSync(directory)) return;
  const own = new Set(paragraphs(join(directory, english), wanted, tag));
  for (const name of readdirSync(directory)) {
    const language = languageOf(name);
    if (!language || !/^[A-Za-z]{1,2}([-_@]|$)/.test(name)) continue;
    const list = paragraphs(join(directory, name), wanted, tag, name === english ? undefined : own);
    if (list.length > 10) to.set(language, [...(to.get(language) ?? []), ...list]);
  }
}

const blocks = (list, half, size) => list.filter((_, i) => Math.floor(i / size) % 2 === half);

// Two maps of a language (or "code-...") to its paragraphs.
export function debianTexts(cache) {
  const train = new Map(), manual = new Map(), held = new Map();
  const share = join(cache, 'texts/usr/share');
  translations(train, join(share, 'help'), 'C', /\.page$/, /<p(?:\s[^>]*)?>([^]*?)<\/p>/g);
  translations(manual, join(share, 'doc/debian-handbook/html'), 'en-US', /\.html$/, /<div class="para">([^]*?)<\/div>/g);
  for (const [language, list] of manual) {
    train.set(language, [...(train.get(language) ?? []), ...blocks(list, 0, 32)]);
    held.set(language, blocks(list, 1, 32));
  }
  const fortunes = files(join(share, 'games/fortunes'), /^\w+$/).flatMap((path) => readFileSync(path, 'utf8').split('\n%\n'));
  train.set('en', [...fortunes.filter((text) => text.length > 80), ...(train.get('en') ?? [])]);
  // Scripts that share what is counted with Hindi's and have other tokens: few call models in them.
  for (const language of ['as', 'gu', 'mr', 'ta', 'te']) train.delete(language);
  for (const [name, directory, wanted] of [['code-c', '/usr/include/linux', /\.h$/], ['code-py', '/usr/lib/python3.11', /^[a-z]\w+\.py$/],
    ['code-ts', join(cache, 'node_modules'), /\.d\.ts$/]]) {
    const list = files(directory, wanted).slice(0, 400).map((path) => readFileSync(path, 'latin1').replace(/[^\n\t -~]/g, '').slice(0, 12000));
    train.set(name, blocks(list, 0, 1));
    held.set(name, blocks(list, 1, 1));
  }
  return { train, held };
}
