/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The counts of a text, once each; included without a guard wherever X is defined. */
/* clang-format off */
X(WORDS)          /* of Latin letters; a change from small to capital begins another */
X(ENGLISH_WORDS)  /* of those, that were taken for English */
X(PROGRAM_WORDS)  /* and for a program's */
X(GLUED)          /* of words, that no blank stands before */
X(CAPITALS)       /* words in capitals */
X(CAPITAL_CHARS)  /* and their letters */
X(SHORT_GLUED)    /* one or two letters between digits, signs or other words */
X(DIGIT_RUNS)
X(DIGITS)
X(DIGIT_TRIPLES)  /* groups of up to three in each run */
X(DIGIT_SPACED)   /* runs with a blank before them */
X(SIGN)           /* one ASCII sign alone */
X(SIGN_WORD)      /* one before a letter */
X(SIGNS_2)
X(SIGNS_3)
X(SIGNS_MORE)     /* runs of four and more */
X(SIGNS_REST)     /* their signs beyond three */
X(SIGN_RULES)     /* four and more of the same one */
X(SIGN_LINES)     /* runs at the end of a line */
X(SPACES)         /* runs of two and more */
X(SPACE_CHARS)
X(TABS)
X(TAB_CHARS)
X(LINES)
X(BLANK_LINES)
X(CYRILLIC_WORDS)
X(CYRILLIC)
X(CYRILLIC_REST)  /* letters beyond the fifth of a word */
X(GREEK_WORDS)
X(GREEK)
X(ARABIC_WORDS)
X(ARABIC)
X(ARABIC_REST)
X(HEBREW_WORDS)
X(HEBREW)
X(INDIC_WORDS)
X(INDIC)
X(THAI_RUNS)
X(THAI)
X(HANGUL_WORDS)
X(HANGUL)
X(HIRAGANA)
X(KATAKANA)
X(HAN_RUNS)
X(HAN)
X(WIDE_SIGNS)     /* CJK punctuation and full-width forms */
X(OTHER_SIGNS)    /* dashes, quotes, currency, mathematics */
X(EMOJI)
X(OTHER)          /* bytes of other scripts and of what is no UTF-8 */
/* clang-format on */
