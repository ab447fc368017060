"""How the index cuts and keeps texts: the mapping of the database document, and what Japanese needs beside it."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.language.lexicon import Unit
from domain.search.facet_terms import PLAIN_FACETS

FORMAT = 7
"""Grows with every change of the mapping or of what is put into it: an index of another format is built anew."""

_PARTICLES = (
    "助動詞 助詞 助詞-格助詞 助詞-格助詞-一般 助詞-格助詞-引用 助詞-格助詞-連語 助詞-接続助詞 助詞-係助詞 助詞-副助詞 助詞-間投助詞 "
    "助詞-並立助詞 助詞-終助詞 助詞-副助詞／並立助詞／終助詞 助詞-連体化 助詞-副詞化 助詞-特殊"
)
_HAS_KANJI, _IS_MIXED = r"^[^\p{IsHan}々〆]+$", r"^([\p{IsHan}々〆]+|[^\p{IsHan}々〆]+)$"


def _words(forms: str) -> Mapping[str, Any]:
    """An analyzer of words in their dictionary's form, without particles. `forms` adds others to some of them."""
    folding = ("fold", "katakana", "long_vowel", "lone_mark", "remove_duplicates")
    filters = [forms, "kuromoji_baseform", "particles", *folding]
    return {"type": "custom", "char_filter": ["nfkc"], "tokenizer": "japanese", "filter": filters}


_TOKENIZER = {"type": "kuromoji_tokenizer", "mode": "search", "discard_compound_token": True}

ANALYSIS: Mapping[str, Any] = {
    "char_filter": {"nfkc": {"type": "icu_normalizer", "name": "nfkc_cf"}},
    "filter": {
        # without the exception it would take the voicing marks off kana: ガ would be カ
        "fold": {"type": "icu_folding", "unicode_set_filter": "[^\\u3040-\\u30ff]"},
        "katakana": {"type": "icu_transform", "id": "Hiragana-Katakana"},
        "long_vowel": {"type": "kuromoji_stemmer", "minimum_length": 4},
        "lone_mark": {"type": "stop", "stopwords": ["ー", "〜"]},
        "particles": {"type": "kuromoji_part_of_speech", "stoptags": _PARTICLES.split()},
        "reading": {"type": "kuromoji_readingform", "use_romaji": False},
        "with_kanji": {"type": "pattern_replace", "pattern": _HAS_KANJI, "replacement": ""},
        "mixed": {"type": "pattern_replace", "pattern": _IS_MIXED, "replacement": ""},
        "not_empty": {"type": "length", "min": 1},
        "not_short": {"type": "length", "min": 3},
        # 手拭い and 手ぬぐい, 引越し and 引っ越し: words of kanji and kana are also their readings
        "okurigana": {"type": "multiplexer", "filters": ["mixed,not_empty,reading,not_short"]},
        # 苺 typed for いちご: a word of kanji is also its reading when asked for, but never when kept, or 箸 would be 橋
        "sounded": {"type": "multiplexer", "filters": ["with_kanji,not_empty,reading,not_short"]},
    },
    "analyzer": {
        "japanese": _words("okurigana"),
        "asked": _words("sounded"),
        "as_written": {
            "type": "custom",
            "char_filter": ["nfkc"],
            "tokenizer": "japanese",
            "filter": ["fold", "katakana", "long_vowel", "lone_mark"],
        },
        "whole": {
            "type": "custom",
            "char_filter": ["nfkc"],
            "tokenizer": "keyword",
            "filter": ["fold", "katakana", "long_vowel"],
        },
    },
}

_TEXT = {"type": "text", "analyzer": "japanese", "search_analyzer": "asked"}
_WRITTEN = {"type": "text", "analyzer": "as_written"}
_KEY = {"type": "keyword", "norms": False, "doc_values": False}
_BEGUN = {
    "type": "text",
    "analyzer": "keyword",
    "norms": False,
    "index_options": "docs",
    "index_prefixes": {"min_chars": 1, "max_chars": 4},
}
"""Keys, and what they begin with: what begins with one letter has thousands of keys."""

MAPPINGS: Mapping[str, Any] = {
    "dynamic": "strict",
    "properties": {
        # of the database document
        "id": {"type": "keyword"},
        "name": {
            **_TEXT,
            "fields": {
                "keyword": {"type": "keyword", "ignore_above": 512},
            },
        },
        "description": {**_TEXT, "fields": {"written": _WRITTEN}},
        "category_path": {"type": "keyword", "copy_to": "labels"},
        "brand": {"type": "keyword", "copy_to": "labels"},
        "price": {"type": "float"},
        "seller_id": {"type": "keyword"},
        "status": {"type": "keyword"},
        "attributes": {
            "type": "nested",
            "properties": {"name": {"type": "keyword"}, "value": {"type": "keyword"}},
        },
        "created_at": {"type": "date"},
        "popularity_score": {"type": "float"},
        # ours
        "sku": {"type": "keyword", "copy_to": "labels"},
        "goods": {**_TEXT, "fields": {"written": _WRITTEN}},
        "brand_kana": {"type": "keyword", "copy_to": "labels"},
        "name_keys": _BEGUN,
        "name_written": {"type": "keyword", "index": False, "doc_values": False},
        "label_keys": _KEY,
        "starts": {"type": "keyword", "norms": False},
        "labels": {
            **_TEXT,
            "position_increment_gap": 100,
            "fields": {"written": _WRITTEN},
        },
        "codes": {"properties": {name: {"type": "keyword"} for name in ("name", "labels", "description")}},
        "currency": {"type": "keyword"},
        "public": {"type": "boolean"},
        "revision": {"type": "long", "index": False},
        "fingerprint": {"type": "long", "index": False},
        "text_factor": {"type": "double", "index": False},
        "prominence": {"type": "double", "index": False},
        "price_rank": {"type": "long"},
        "listed_ms": {"type": "long"},
        "rating": {"type": "double"},
        "rating_rank": {"type": "double", "index": False},
        "facet": {"properties": {str(kind): {"type": "keyword"} for kind in PLAIN_FACETS}},
    },
}


def index_body(dictionary: Mapping[str, Sequence[Unit]]) -> dict[str, Any]:
    """Settings and mapping of a new index. One shard: scores of two shards do not compare, and 100,000 fit one well.

    It shows nothing new until it takes the place of another one: to look at it every second would cost a sixth of a build.
    """
    return {
        "settings": {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            # what stands out comes first on the disk too: browsing and suggestions end at the first that fit
            "sort.field": ["prominence", "id"],
            "sort.order": ["desc", "asc"],
            "refresh_interval": "-1",
            "analysis": {
                **ANALYSIS,
                "tokenizer": {"japanese": {**_TOKENIZER, "user_dictionary_rules": _rules(dictionary)}},
            },
        },
        "mappings": MAPPINGS,
    }


def _rules(dictionary: Mapping[str, Sequence[Unit]]) -> list[str]:
    """Text, its words, their readings, part of speech."""
    return [
        ",".join(
            (word, " ".join(each.text for each in units), " ".join(each.reading for each in units), "カスタム名詞")
        )
        for word, units in dictionary.items()
    ]
