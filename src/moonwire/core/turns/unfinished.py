"""Decides whether the words heard so far can be a whole utterance: one that ends in "my" or "um" goes on.

A veto against ending the turn early, language by language, as data. Only words after which a sentence practically
never ends are listed: an utterance that is wrongly taken for unfinished only waits a little longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from moonwire.core.turns.words import Tokens, language_of, longest_match, phrases, tokens

UNFINISHED: Final[Mapping[str, frozenset[Tokens]]] = {
    "en": phrases(
        "a, an, the, my, your, our, their, its, this is, and, or, but, because, cause, if, while, although, "
        "unless, until, than, whose, of, to, from, with, without, for, at, by, into, onto, about, between, "
        "among, during, under, per, as, like a, um, uh, er, erm, i'm, you're, we're, they're, i'd, i'd like, "
        "i would like, i want, i need, i've, i'll, we'll, can you, could you, would you, do you, is there, "
        "are there, let me, let's, looking for, the number is, my name is, my number is, very, every, mr, mrs, "
        "ms, dr, and i, but i, or i, in the, on the"
    ),
    "es": phrases(
        "el, la, los, las, un, una, unos, unas, mi, mis, tu, su, sus, nuestro, y, e, o, u, pero, porque, que, "
        "de, del, a, al, en, con, sin, para, por, desde, hasta, entre, sobre, como, cuando, donde, eh, quiero, "
        "necesito, quisiera, me gustaría, soy, me llamo, muy, aunque, mientras, señor, señora"
    ),
    "fr": phrases(
        "le, la, les, un, une, des, du, de, d', l', mon, ma, mes, ton, ta, sa, ses, notre, votre, et, ou, mais, "
        "parce que, car, que, qui, dont, à, au, aux, en, dans, avec, sans, pour, par, sur, chez, entre, vers, "
        "comme, quand, euh, je, j'ai, je suis, je voudrais, je veux, est-ce que, c'est, il y a, très, donc, "
        "je m'appelle, monsieur, madame, ce, cette, ces"
    ),
    "de": phrases(
        "der, die, den, dem, des, ein, eine, einen, einem, einer, mein, meine, meinen, meinem, meiner, unser, "
        "ihren, und, oder, aber, weil, dass, wenn, ob, als, sondern, von, zum, zur, ohne, für, im, zwischen, "
        "gegen, äh, ähm, ich möchte, ich brauche, ich hätte, ich hätte gern, können sie, sehr, "
        "mein name ist, herr, frau, bis"
    ),
    "it": phrases(
        "il, lo, la, i, gli, le, un, uno, una, un', mio, mia, miei, tuo, suo, nostro, e, ed, o, ma, perché, se, "
        "che, di, del, della, dei, a, al, alla, da, dal, dalla, in, nel, nella, con, su, sul, per, tra, fra, "
        "come, quando, ehm, eh, vorrei, voglio, ho bisogno di, mi chiamo, è, molto, quindi, signor, signora, "
        "senza"
    ),
    "pt": phrases(
        "o, a, os, as, um, uma, uns, umas, meu, minha, seu, sua, nosso, e, ou, mas, porque, se, que, de, do, da, "
        "dos, das, ao, à, em, no, na, nos, nas, com, sem, para, pra, por, pelo, pela, entre, sobre, como, "
        "quando, eh, hum, quero, preciso, gostaria de, eu queria, eu sou, meu nome é, muito, então, senhor, "
        "senhora"
    ),
    "nl": phrases(
        "de, een, mijn, jouw, zijn, onze, en, of, maar, omdat, want, als, van, naar, met, zonder, bij, tussen, "
        "tegen, te, eh, uh, ik wil, ik zou graag, kunt u, kan ik, heel, mijn naam is, meneer, mevrouw, dus, "
        "tot"
    ),
    "ru": phrases(
        "и, или, но, а, чтобы, потому что, если, когда, в, во, на, с, со, к, ко, от, до, из, у, о, об, по, за, "
        "под, над, для, без, про, через, между, мой, моя, моё, мои, ваш, наш, этот, эта, э, эм, ну, я, я хочу, "
        "мне нужно, меня зовут, очень, то есть, либо"
    ),
    "pl": phrases(
        "i, albo, lub, ale, że, żeby, bo, jeśli, kiedy, w, we, na, z, ze, do, od, dla, bez, po, za, o, u, mój, "
        "moja, yyy, chcę, chciałbym, chciałabym, nazywam się"
    ),
    "tr": phrases("ve, veya, ya da, ama, fakat, çünkü, eğer, bir, benim, ıı, en, benim adım"),
    "ar": phrases(
        "و, أو, لكن, ولكن, لأن, إذا, لو, في, من, إلى, على, عن, مع, أن, إن, الذي, التي, أريد, اريد, أنا, اسمي, رقمي, "
        "كل, بين, قبل, حتى, ثم, يعني, هل, عند, بدون, هذا ال"
    ),
    "hi": phrases("और, या, लेकिन, क्योंकि, अगर, कि, मेरा, मेरी, मेरे, का, की, के, को, से, एक, मैं, मुझे, उम, तो"),
    "ja": phrases(
        "を, に, へ, えっと, えーと, あの, その, ええと, そして, それで, でも, または, という, については, 私は, "
        "私の, そのあと"
    ),
    "zh": phrases(
        "和, 跟, 与, 或, 或者, 还有, 但是, 可是, 不过, 因为, 所以, 如果, 要是, 虽然, 然后, 而且, 对于, 关于, 把, "
        "被, 为了, 一个, 这个, 那个, 我的, 你的, 我想, 我要, 我想要, 我需要, 请问, 就是, 呃, 是不是, 能不能, "
        "可不可以, 以及, 由于, 我叫"
    ),
    "ko": phrases("그리고, 하지만, 그런데, 그래서, 또는, 아니면, 저는, 제가, 때문에, 를, 에서, 하고"),
}
"""By language: how an unfinished utterance ends. There is no veto in a language that is missing."""

_LONGEST: Final = 7


@lru_cache(maxsize=64)
def _list(language: str) -> frozenset[Tokens]:
    return UNFINISHED.get(language_of(language), frozenset())


def is_unfinished(text: str, language: str) -> bool:
    """Tell whether a text ends in words that no sentence ends with; a question or exclamation mark makes it whole."""
    if text.rstrip().endswith(("?", "!", "？", "！", "؟")):
        return False
    words, known = tokens(text), (_list(language),)
    return any(
        longest_match(words, start, known, _LONGEST) == len(words) - start
        for start in range(max(0, len(words) - _LONGEST), len(words))
    )
