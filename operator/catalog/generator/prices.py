"""Price lists in whole nano-USD per million tokens, from either source, and which of the two is believed.

A price list is a list of rates by rising threshold: the first from the first token on, each further one, with `above`, for
requests of more input tokens than that; it reprices the whole request. A price is `{default, batch?, flex?, priority?}`,
each a price list.
"""

import re
from decimal import Decimal

# nano-USD per million tokens, from USD per token and from USD per million tokens
PER_TOKEN = Decimal(10) ** 15
PER_MILLION = Decimal(10) ** 9

# Our names, and litellm's for the same.
LITELLM_MEMBERS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cacheRead",
    "cache_creation_input_token_cost": "cacheWrite",
    "cache_creation_input_token_cost_above_1hr": "cacheWrite1h",
    "input_cost_per_audio_token": "inputAudio",
    "output_cost_per_audio_token": "outputAudio",
    "output_cost_per_reasoning_token": "reasoning",
}
GENAI_MEMBERS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cacheRead",
    "cache_write_mtok": "cacheWrite",
    "cache_write_1h_mtok": "cacheWrite1h",
    "input_audio_mtok": "inputAudio",
    "output_audio_mtok": "outputAudio",
    "output_reasoning_mtok": "reasoning",
}
ORDER = ["above", "input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "inputAudio", "outputAudio", "reasoning"]
SERVICE = {"batches": "batch", "flex": "flex", "priority": "priority"}
LITELLM_NAME = re.compile(
    r"^(?P<member>" + "|".join(sorted(LITELLM_MEMBERS, key=len, reverse=True)) + r")"
    r"(?:_above_(?P<above>\d+)k_tokens)?(?:_(?P<service>batches|flex|priority))?$"
)
# genai-prices: what a request says of itself, and the list that it then pays by. Others (routes, kinds of search, `fast`)
# are no service tier.
GENAI_SERVICE = {
    (("processing", "batch"),): "batch",
    (("service_tier", "flex"),): "flex",
    (("service_tier", "priority"),): "priority",
}


def whole(amount, scale):
    return int((Decimal(amount) * scale).to_integral_value())


def from_litellm(entry):
    """The price of an entry, or None when it names neither input nor output."""
    lists = {}
    for name, amount in entry.items():
        found = LITELLM_NAME.match(name)
        if found and isinstance(amount, (int, Decimal)):
            above = int(found["above"] or 0) * 1000
            rates = lists.setdefault(SERVICE.get(found["service"], "default"), {}).setdefault(above, {})
            rates[LITELLM_MEMBERS[found["member"]]] = whole(amount, PER_TOKEN)
    for step in entry.get("tiered_pricing") or []:
        if not {"input_cost_per_token", "output_cost_per_token"} <= step.keys():
            continue
        rates = lists.setdefault("default", {}).setdefault(int(step["range"][0]), {})
        rates |= {ours: whole(step[name], PER_TOKEN) for name, ours in LITELLM_MEMBERS.items() if name in step}
    return known(lists)


def from_genai(model, date):
    """The price of a model at a date, or None. Of prices by the time of the day, the one of most of the day."""
    prices = model.get("prices") or []
    if isinstance(prices, list):
        prices = at(prices, date)
    if not prices:
        return None
    lists = {"default": by_threshold(prices)}
    for variant in model.get("price_variants") or []:
        service = GENAI_SERVICE.get(tuple(sorted(variant["when"].items())))
        if service and service not in lists and active(variant.get("constraint"), date):
            lists[service] = by_threshold(variant["prices"])
    return known(lists)


def at(conditional, date):
    """The prices that hold at this date: the last that begins before it; those for some hours only are left out."""
    holding = [one for one in conditional if active(one.get("constraint"), date)]
    return (holding[-1] if holding else conditional[0])["prices"]


def active(constraint, date):
    return constraint is None or (constraint[""] == "StartDateConstraint" and constraint["start_date"] <= date)


def by_threshold(prices):
    thresholds = {}
    for name, ours in GENAI_MEMBERS.items():
        amount = prices.get(name)
        if amount is None:
            continue
        base, steps = (amount["base"], amount["tiers"]) if isinstance(amount, dict) else (amount, [])
        thresholds.setdefault(0, {})[ours] = whole(base, PER_MILLION)
        for step in steps:
            thresholds.setdefault(step["start"], {})[ours] = whole(step["price"], PER_MILLION)
    return thresholds


def known(lists):
    """The lists, or None when they name neither input nor output."""
    return lists if {"input", "output"} & lists.get("default", {}).get(0, {}).keys() else None


def finish(lists):
    """The price as it is written down.

    A threshold goes on with what the one below it names, and a service tier with what the default names, as both sources
    read their tables. Where a tier of service has no rates above a threshold of the default, they are not known: such rates
    are empty.
    """
    price = {}
    default = rising(lists["default"])
    for service in ["default", "batch", "flex", "priority"]:
        own = lists.get(service, {})
        if service == "default":
            price[service] = [ordered(above, rates) for above, rates in default.items()]
        elif {"input", "output"} & own.get(0, {}).keys():
            own = {above: default.get(above, {}) | rates for above, rates in rising(own).items()}
            unknown = {above: {} for above in default}
            price[service] = [ordered(above, rates) for above, rates in sorted((unknown | own).items())]
    return price


def rising(thresholds):
    done, below = {}, {}
    for above in sorted(thresholds):
        below = done[above] = below | thresholds[above]
    return done


def ordered(above, rates):
    rates = rates | ({"above": above} if above else {})
    return {name: rates[name] for name in ORDER if name in rates}


def is_zero(lists):
    base = lists["default"][0]
    return not base.get("input") and not base.get("output")


def merged(first, second):
    """What is believed of two sources, either of which may be None: (lists or None, why).

    The first where it names an amount. A model that it gives away is priced by the second; where the second knows nothing
    of it, it is not known: a table's zero is as often a price that nobody entered. What the first does not name is taken
    from the second if they agree on input and output.
    """
    if first is None or (is_zero(first) and (second is None or not is_zero(second))):
        if first is not None and second is None:
            return None, "zero in one source, unknown to the other"
        return (second, None) if second is None or not is_zero(second) else (None, "zero in one source, unknown to the other")
    if second is not None and agree(first, second):
        lists = {service: dict(first.get(service, {})) for service in first.keys() | second.keys()}
        for service, thresholds in second.items():
            if service in first or service != "default":
                for above, rates in thresholds.items():
                    if above in lists[service] or (service not in first):
                        lists[service][above] = rates | lists[service].get(above, {})
        first = lists
    return without_odd_zeros(first, second), None


def agree(first, second):
    ours, theirs = first["default"][0], second["default"][0]
    return all(ours.get(name) == theirs.get(name) for name in ["input", "output"])


def without_odd_zeros(lists, second):
    """Without members that are 0 while the model is not free, unless the second source says so too."""
    def odd(service, above, name, rates):
        beside = rates.get("output" if name == "input" else "input")
        theirs = (second or {}).get(service, {}).get(above, {})
        return beside != 0 and theirs.get(name) != 0

    return {
        service: {
            above: {name: amount for name, amount in rates.items() if amount or not odd(service, above, name, rates)}
            for above, rates in thresholds.items()
        }
        for service, thresholds in lists.items()
    }


# A million tokens of the dearest models cost less than this, in nano-USD; beyond it somebody moved a decimal point.
DEAREST = {"chat": (200 * 10**9, 800 * 10**9), "completion": (200 * 10**9, 800 * 10**9)}
DEAREST_READER = 10 * 10**9
# No tier of service is as much dearer or cheaper than the default.
SERVICE_FACTOR = 5


def reader(lists):
    """Of a model that writes nothing: its output costs nothing, whatever a table says."""
    if lists is None:
        return None
    return {
        service: {above: rates | {"output": 0} for above, rates in thresholds.items()} for service, thresholds in lists.items()
    }


def slips(lists, kind):
    """The tiers of service whose rates cannot be meant, `default` among them."""
    found = []
    base = lists["default"][0]
    for service, thresholds in lists.items():
        for rates in thresholds.values():
            for name, dearest in zip(["input", "output"], DEAREST.get(kind, (DEAREST_READER, DEAREST_READER))):
                amount, usual = rates.get(name) or 0, base.get(name) or 0
                far = service != "default" and not usual <= amount * SERVICE_FACTOR <= usual * SERVICE_FACTOR**2
                if amount > dearest or (far and name in rates):
                    found.append(service)
    return sorted(set(found))


# What a model charges for that an answer's tokens do not tell apart: pictures, seconds, calls. A cost from tokens alone would
# be too low.
UNCOUNTED = [
    "output_cost_per_image",
    "output_cost_per_image_token",
    "output_cost_per_second",
    "input_cost_per_request",
    "input_cost_per_video_per_second",
    "input_cost_per_second",
]
UNCOUNTED_GENAI = ["output_image_mtok", "output_video_mtok", "requests_kcount", "input_text_messages_kcount"]


def uncounted(entry, known, date):
    prices = (known or {}).get("prices") or {}
    prices = at(prices, date) if isinstance(prices, list) else prices
    return any(entry.get(name) for name in UNCOUNTED) or any(prices.get(name) for name in UNCOUNTED_GENAI)


def differences(first, second):
    """{service.above.member: [first, second]} of what both name and name differently, and thresholds of one alone."""
    found = {}
    for service in first.keys() & second.keys():
        ours, theirs = first[service], second[service]
        for above in sorted(ours.keys() | theirs.keys()):
            at = service + (f".above{above}" if above else "")
            if (above in ours) != (above in theirs):
                found[at] = [above in ours, above in theirs]
                continue
            for name in ORDER:
                pair = [ours[above].get(name), theirs[above].get(name)]
                if None not in pair and pair[0] != pair[1]:
                    found[f"{at}.{name}"] = pair
    return dict(sorted(found.items()))
