"""Writes data/models.json and data/differences.json from the pinned packages of data/sources.txt.

    python3 generate.py [--date YYYY-MM-DD] [--cache FOLDER]

Which providers are taken, from which part of which source, and what their models speak is data/providers.json; what the
sources leave open about models is data/overrides.json. Models whose provider has announced an end on or before the date
are left out. The same packages and the same date give the same bytes.
"""

import argparse
import collections
import json
import pathlib
import re
import tempfile

from generator import capabilities, prices, sources

HERE = pathlib.Path(__file__).parent
DATA = HERE / "data"
# The day of the prices, and the one by which a model must not have ended.
DATE = "2026-11-24"
KINDS = {
    "chat": "chat",
    "responses": "chat",
    "completion": "completion",
    "embedding": "embedding",
    "rerank": "rerank",
    "image_generation": "image",
    "image_edit": "image",
    "audio_speech": "speech",
    "audio_transcription": "transcription",
    "moderation": "moderation",
}
# what is passed on as it is: the formats of a kind where its row names no paths, and those that stand for a path
RELAYED = {
    "image": ["openai.images"],
    "speech": ["openai.speech"],
    "transcription": ["openai.transcriptions"],
    "moderation": ["openai.moderations"],
}
RELAYED_PATHS = {
    "/v1/images/generations": "openai.images",
    "/v1/images/edits": "openai.image_edits",
    "/v1/images/variations": "openai.image_variations",
    "/v1/audio/speech": "openai.speech",
    "/v1/audio/transcriptions": "openai.transcriptions",
    "/v1/audio/translations": "openai.translations",
    "/v1/moderations": "openai.moderations",
}
# no names to ask for here: rows of one model for each size and quality of its pictures; what is spoken over a socket; Azure's
# Speech, which is another service; and a name that stands for a model of chats as well
UNASKED = re.compile(r"^((low|medium|high|standard|hd|auto)/|\d+-x-\d+/|speech/)|realtime|^voxtral-mini-latest$")
USUAL_FORMATS = {
    "chat": ["openai.chat"],
    "completion": ["openai.completions"],
    "embedding": ["openai.embeddings"],
    "rerank": [],
}


class Catalogue:
    """What is collected while both sources are walked."""

    def __init__(self, date, litellm, genai):
        self.date, self.litellm, self.genai = date, litellm, genai
        self.providers = json.loads((DATA / "providers.json").read_text())
        self.overrides = json.loads((DATA / "overrides.json").read_text())
        self.presets = json.loads((DATA / "presets.json").read_text())
        self.models, self.differences = {}, {}
        self.seen = collections.Counter()

    def collect(self):
        for provider, rule in self.providers.items():
            rows = self.rows_of_litellm(rule) | self.rows_of_genai(rule)
            models = {name: self.model(provider, rule, name, *row) for name, row in sorted(rows.items())}
            self.models[provider] = {name: model for name, model in models.items() if model}

    def rows_of_litellm(self, rule):
        """{name: (entry, None)} of the kinds that are served; a name with its provider's prefix wins over one without."""
        rows = {}
        prefixes = rule.get("prefixes") or [f"{one}/" for one in rule["litellm"]]
        for key, entry in sorted(self.litellm.items(), key=lambda row: ("/" in row[0], row[0])):
            if entry.get("litellm_provider") not in rule["litellm"] or entry.get("mode") not in KINDS:
                continue
            prefix = next((one for one in prefixes if key.startswith(one)), "")
            if taken(rule, key[len(prefix) :]):
                rows[key[len(prefix) :]] = (entry, None)
        return rows

    def rows_of_genai(self, rule):
        """{name: (None, model)} of a provider that only genai-prices lists by the names that it wants."""
        if not rule.get("rows"):
            return {}
        lists = [rule["genai"]] if rule["rows"] is True else rule["rows"]
        models = [model for one in reversed(lists) for model in self.genai[one]["models"]]
        return {model["id"]: (None, model) for model in models if taken(rule, model["id"]) and not model.get("deprecated")}

    def model(self, provider, rule, name, entry, known):
        entry = entry or {"litellm_provider": None, "mode": kind_by_name(name)}
        ends = entry.get("deprecation_date")
        if ends and ends <= self.date:
            self.seen["left out: ended"] += 1
            return None
        kind = KINDS[entry["mode"]]
        if kind == "chat" and kind_by_name(name) == "embedding":
            kind = "embedding"
        if kind in RELAYED:
            return self.relayed(provider, kind, name, entry, ends)
        formats = formats_of(rule, kind, name, entry)
        known = known or sources.find(self.genai, rule.get("genai"), name)
        model = {
            "kind": kind,
            "formats": formats,
            "contextWindow": number(entry.get("max_input_tokens") or (known or {}).get("context_window")),
            "maxOutputTokens": number(entry.get("max_output_tokens")) if kind in ("chat", "completion") else None,
            "ends": ends,
            "capabilities": self.capabilities(provider, name, entry, formats) if kind == "chat" else None,
            "price": self.price(f"{provider}/{name}", kind, entry, known),
        }
        usual = {"kind": "chat", "formats": USUAL_FORMATS["chat"]}
        return {member: value for member, value in model.items() if value not in (None, {}, usual.get(member))}

    def relayed(self, provider, kind, name, entry, ends):
        """A model of pictures, sound or judgements, where its provider's preset takes what it does."""
        spoken = self.presets.get(provider, {}).get("relays", [])
        formats = [one for one in relayed_formats(kind, name, entry) if one in spoken]
        if not formats or UNASKED.search(name):
            return None
        # pictures have rates of their own, judgements none
        priced = kind in ("speech", "transcription")
        price = self.price(f"{provider}/{name}", kind, entry, None) if priced else None
        model = {"kind": kind, "formats": formats, "ends": ends, "price": price}
        return {member: value for member, value in model.items() if value is not None}

    def capabilities(self, provider, name, entry, formats):
        found = capabilities.of(entry, formats)
        for one in self.overrides:
            if provider in one["providers"] and re.search(one["match"], name):
                found = one["capabilities"] | found
        return found

    def price(self, name, kind, entry, known):
        first = prices.from_litellm(entry)
        second = prices.from_genai(known, self.date) if known else None
        if kind in ("embedding", "rerank"):
            first, second = prices.reader(first), prices.reader(second)
        if first and second:
            self.compare(name, first, second)
        elif first or second:
            self.seen["in one source"] += 1
        believed, why = prices.merged(first, second)
        if believed and prices.uncounted(entry, known, self.date):
            believed, why = None, "charges for more than tokens"
        if believed:
            slips = prices.slips(believed, kind)
            if slips:
                self.differences.setdefault(name, {})["implausible"] = slips
                self.seen["with implausible rates, left out"] += 1
            believed = {service: lists for service, lists in believed.items() if service not in slips}
            if "default" in slips:
                believed, why = None, "implausible"
        if believed is None:
            self.seen[f"unpriced: {why or 'in no source'}"] += 1
            return None
        self.seen["priced"] += 1
        return prices.finish(believed)

    def compare(self, name, first, second):
        found = prices.differences(first, second)
        self.seen["in both sources, differing" if found else "in both sources, agreeing"] += 1
        if found:
            self.differences.setdefault(name, {}).update(found)


def taken(rule, name):
    return (
        not re.search(rule.get("skip", r"^$"), name)
        and re.search(rule.get("only", ""), name) is not None
        and not name.endswith(":batch")
        and all("!" <= character <= "~" and character != "*" for character in name)
        and name != ""
    )


def kind_by_name(name):
    """What a row is that does not say it: genai-prices has no kinds."""
    return "embedding" if re.search(r"embed|bge-|gte-|/e5-", name.lower()) else "chat"


def formats_of(rule, kind, name, entry):
    """The wire formats in which a model can be asked, the one that its provider leads with first."""
    formats = rule.get(kind, USUAL_FORMATS[kind])
    if kind == "chat":
        for other, format in [("anthropic", "anthropic.messages"), ("gemini", "gemini.generate_content")]:
            if rule.get(other) and re.search(rule[other], name):
                return [format]
    if kind == "embedding" and not re.search(rule.get("embeds", ""), name):
        return []
    endpoints = entry.get("supported_endpoints") or []
    if kind != "chat" or formats[0] != "openai.chat":
        return formats
    only_responses = entry["mode"] == "responses" or entry.get("use_openai_responses_path")
    chat = not only_responses and (not endpoints or "/v1/chat/completions" in endpoints)
    responses = only_responses or (rule.get("responses") and "/v1/responses" in endpoints)
    return (["openai.chat"] if chat else []) + (["openai.responses"] if responses else [])


def relayed_formats(kind, name, entry):
    """Those of the paths that the row names; whatever rows say, pictures of these makers can be changed, and Whisper translates."""
    paths = entry.get("supported_endpoints")
    named = RELAYED[kind] if paths is None else [RELAYED_PATHS[path] for path in paths if path in RELAYED_PATHS]
    if named and re.search(r"^(gpt|chatgpt)-image-", name):
        named = [*named, "openai.image_edits"]
    if named and re.search(r"whisper-(1|large-v3)$", name):
        named = [*named, "openai.translations"]
    if re.search(r"^dall-e-2$", name):
        named = ["openai.images", "openai.image_edits", "openai.image_variations"]
    return sorted(set(named))


def number(value):
    return int(value) or None if value is not None else None


def lines(table):
    """JSON with one model a line, so that a change of one is a change of one line."""
    text = []
    for provider, models in sorted(table.items()):
        inner = [f"{json.dumps(name)}:{json.dumps(model, separators=(',', ':'))}" for name, model in sorted(models.items())]
        text.append(f"{json.dumps(provider)}:{{\n" + ",\n".join(inner) + "\n}")
    return "{\n" + ",\n".join(text) + "\n}\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--date", default=DATE)
    arguments.add_argument("--cache", type=pathlib.Path)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.cache or pathlib.Path(temporary)
        sources.download(DATA / "sources.txt", folder)
        catalogue = Catalogue(given.date, sources.litellm(folder), sources.genai(folder))
    catalogue.collect()
    models = {provider: models for provider, models in catalogue.models.items() if models}
    (DATA / "models.json").write_text(lines(models))
    differences = [f"{json.dumps(name)}:{json.dumps(found, separators=(',', ':'))}" for name, found in sorted(catalogue.differences.items())]
    (DATA / "differences.json").write_text("{\n" + ",\n".join(differences) + "\n}\n")
    kinds = collections.Counter(model.get("kind", "chat") for one in models.values() for model in one.values())
    size = (DATA / "models.json").stat().st_size
    print(f"{sum(kinds.values())} models of {len(models)} providers, {size} bytes: {dict(kinds)}")
    for what, count in sorted(catalogue.seen.items()):
        print(f"{count:6} {what}")


if __name__ == "__main__":
    main()
