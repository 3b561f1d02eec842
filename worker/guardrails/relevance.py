"""Refuse, before any model is asked, what is surely not the airline's matter, or tries to turn the agents around.

Sure means: a pattern of another trade, and not one word of ours. What is merely doubtful goes on to the agents, who can
still decline it with the conversation in view.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

RelevanceReason = Literal["relevant", "off_topic", "injection"]


@dataclass(frozen=True)
class RelevanceVerdict:
    """Say whether a message is the airline's matter, how sure that is (0 to 1), and why."""

    is_relevant: bool
    confidence: float
    reason: RelevanceReason


SHORT_ANSWER_WORDS_MAX = 4

_RELEVANT = RelevanceVerdict(is_relevant=True, confidence=0.8, reason="relevant")
_OFF_TOPIC = RelevanceVerdict(is_relevant=False, confidence=0.9, reason="off_topic")
_INJECTION = RelevanceVerdict(is_relevant=False, confidence=0.95, reason="injection")


def assess_relevance(text: str, *, under_way: bool) -> RelevanceVerdict:
    """Judge one normalised, masked message; `under_way` says that the conversation has begun before it.

    A short answer within a conversation ("yes", "12A", "thanks") is always relevant.
    """
    said = " ".join(text.lower().replace("\u2019", "'").split())
    if any(pattern.search(said) for pattern in _INJECTIONS):
        return _INJECTION
    if under_way and len(said.split()) <= SHORT_ANSWER_WORDS_MAX and not _sure(said):
        return _RELEVANT
    if _sure(said):
        return _OFF_TOPIC
    return _RELEVANT


def _sure(said: str) -> bool:
    return any(pattern.search(said) for pattern in _OTHER_TRADES) and not _OURS.search(said)


_RULES = r"(?:instructions?|prompts?|rules?|guidelines?|directions?|programming|training|restrictions?|policies|commands?)"
_INJECTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:ignore|disregard|forget|override|bypass|skip|drop)\b.{{0,30}}\b(?:previous|prior|above|earlier|all|any|your|system|preceding|every)\b.{{0,25}}\b{_RULES}\b",
        rf"\b(?:ignore|disregard|forget) (?:everything|all|anything)\b.{{0,30}}\b(?:above|before|said|told|told you|prior|previous|instructed)\b",
        rf"\b(?:reveal|show|print|repeat|output|tell me|give me|display|leak|what (?:is|are|were|was)|recite|dump)\b.{{0,25}}\b(?:your|the|system|initial|hidden|original)\b.{{0,15}}\b(?:system prompt|initial prompt|prompt|system message|hidden instructions|instructions|developer message|system instructions)\b(?! (?:for|on|to) (?:check|claim|book|change|report|get|pay))",
        r"\byou are now (?:a|an|in|the|my|no longer|dan\b|free|acting|going to)|\bfrom now on,? you(?:'re| are| will| must| act)\b",
        r"\b(?:pretend|act|roleplay|role-play|behave|respond)\b(?: to be| as| like| as if)+ (?:you(?:'re| are| were)? |a |an |my |the )?(?:dan|jailbroken|unrestricted|evil|pirate|another|different|developer|admin|root|system|linux|terminal|chatgpt|unfiltered|hacker|no rules|not an? airline)",
        r"\b(?:developer|debug|god|admin|jailbreak|dan|sudo) mode\b|\bjailbreak\b|\bdo anything now\b|\bprompt injection\b",
        r"^\s*(?:system|assistant|developer)\s*:\s|<\|?(?:im_start|im_end|system|endoftext)\|?>|\[/?inst\]|###\s*(?:system|instruction)",
        rf"\bnew (?:system )?{_RULES}\s*:|\bend of (?:prompt|instructions)\b",
        r"\b(?:call|run|invoke|execute|use) (?:the )?(?:tool|function)?\s*`?(?:confirm_seat_change|escalate_to_human|look_up_reservation|quote_seat_change|find_free_seats|faq_lookup|transfer_to_\w+)`?",
        r"\b(?:for|of|from) (?:any|another|other|all|every) (?:customer|passenger|user)s?'?(?:s)? (?:data|details|bookings?|reservations?|names?|numbers?|records?)\b|\b(?:list|show|give|dump|export) (?:me )?(?:all|every|other) (?:the )?(?:customers?|passengers?|users?)'?s?\b",
    )
)

_OURS = re.compile(
    r"\b(?:flights?|fly|flying|flew|airlines?|airports?|planes?|aircraft|airplanes?|bookings?|booked|reservations?|seats?|aisle|luggage|baggage|bags?|carry[- ]?ons?|suitcases?|"
    r"boarding|board|check(?:ed|ing)?[- ]?in|gates?|tickets?|fares?|refunds?|cancel\w*|itinerary|confirmation|pnr|miles|layovers?|connections?|stopovers?|"
    r"passengers?|crew|pilots?|attendants?|cabin|economy|business class|first class|upgrades?|delayed|delays?|departure|depart|arrival|terminal|lounge|visa|passports?|"
    r"travel(?:l?ing)?|trips?|vouchers?|wheelchair|pets? (?:on|policy)|frequent flyer|overhead|legroom|runway|customs|tsa|jet ?lag|rebook\w*|standby)\b|\[confirmation_number_\d+\]"
)

_OTHER_BRANDS = (
    r"(?:comcast|xfinity|verizon|at&t|t-mobile|tmobile|sprint|netflix|hulu|spotify|amazon|alexa|ebay|paypal|venmo|apple|iphone|ipad|icloud|itunes|macbook|siri|"
    r"microsoft|windows|xbox|playstation|ps4|ps5|nintendo|steam|google|android|gmail|chrome|youtube|facebook|instagram|whatsapp|twitter|tiktok|snapchat|uber|lyft|"
    r"doordash|grubhub|ubereats|starbucks|mcdonald'?s|burger king|kfc|chipotle|domino'?s|walmart|target|costco|tesco|sainsbury'?s|asda|aldi|lidl|ikea|best buy|"
    r"home depot|fedex|ups|usps|dhl|royal mail|wells fargo|bank of america|chase|citibank|barclays|hsbc|lloyds|directv|dish network|cox|spectrum|virgin media|"
    r"virgin trains|amtrak|greyhound|national rail|samsung|sony|dell|hp|lenovo|adobe|photoshop|excel|outlook|zoom|slack|airbnb|marriott|hilton|hertz|avis|tesla|"
    r"ford|toyota|honda|nike|adidas|zara|asos|h&m)"
)
_OTHER_TRADES = tuple(
    re.compile(pattern)
    for pattern in (
        r"\b(?:recipes?|how (?:do|can|should) (?:i|you|we) (?:cook|bake|make|boil|grill|fry|roast|brew|marinate)\b|ingredients?|oven|calories (?:in|are|does)|nutrition)",
        r"\b(?:write|code|debug|fix|implement|refactor|explain|generate|create|give me)\b.{0,40}\b(?:python|javascript|java|c\+\+|sql|html|css|bash|rust|golang|typescript|regex|algorithm|program|script|function that|code|unit tests?|leetcode|api)\b",
        r"\b(?:my|this|our|the) (?:homework|essay|thesis|assignment|exam|math problem|dissertation|term paper)\b|\b(?:write|do|finish) (?:me |my |an |a )?(?:homework|essay|thesis|assignment|term paper)\b",
        r"\b(?:write|compose|tell|sing|recite|give|make|create)(?: me| us)?(?: a| an| some| another)?(?: [a-z]+)? (?:poem|haiku|limerick|joke|story|song|lyrics|rap|riddle|sonnet|fairy tale|novel|tweet|blog post|cover letter|resume)\b",
        r"\b(?:solve|integral|derivative|equation|square root|factor(?:ial|ize)?|prime numbers?|multiply|divided by|\d+ ?[+*/x] ?\d+ ?=?)\b(?=.*[\dx=?])",
        r"\b(?:who won|who is the (?:president|prime minister|king|queen|ceo)|capital of|world cup|super bowl|nba|nfl|premier league|lottery|horoscope|zodiac|election|stock price|stocks?|bitcoin|crypto\w*|ethereum|dow jones)\b",
        r"\bmeaning of life\b|\btranslate\b.{0,60}\b(?:to|into|in) (?:spanish|french|german|italian|chinese|japanese|korean|hindi|arabic|russian|portuguese|latin|english)\b|\bhow do (?:you|i) say\b",
        r"\b(?:set|start|stop|snooze|cancel) (?:a|an|my|the|another) (?:timer|alarm|reminder)\b|\b(?:play|shuffle|skip|pause) (?:some |the |my |this |next )?(?:music|song|playlist|track|album|radio|podcast)\b|\bturn (?:on|off|up|down) (?:the|my) (?:lights?|tv|thermostat|volume|heat(?:ing)?)\b",
        r"\b(?:oil change|tire pressure|gas mileage|check engine|jump ?start|car insurance|credit score|credit limit|apr\b|401k|mortgage|w-?2|income tax|tax return|routing number|direct deposit|overdraft|bank account|account balance|transfer money|pay ?check|payday|vacation days|pto)\b",
        rf"\b(?:my|the|your) (?:{_OTHER_BRANDS})\b|\b(?:{_OTHER_BRANDS}) (?:account|app|store|customer service|support|order|delivery|subscription|update|password|internet|wifi|router|bill|prime|card|music|upload|download|driver)\b",
        r"\b(?:reset|forgot|change) my (?:wifi|router|email|laptop|computer|phone|windows|apple|google|netflix|bank) ?(?:account |network )?password\b|\b(?:laptop|computer|printer|router|modem|wi-?fi at home|keyboard|graphics card|hard drive)\b.{0,30}\b(?:broken|slow|won'?t|doesn'?t|not|crash\w*|fix|repair|install)",
        r"\b(?:dating|girlfriend|boyfriend|marry me|love letter|medical diagnosis|symptoms of|lose weight|diet plan|workout|push-?ups|protein)\b(?! (?:is|was|will|booked|needs|has|and i))",
        r"\b(?:are you (?:human|real|alive|sentient|single)|do you (?:love|dream|sleep|have (?:feelings|a girlfriend|a boyfriend|kids|pets))|what(?:'s| is) your (?:favou?rite|age|hobby)|how old are you|who (?:made|created|built) you)\b.{0,30}$",
    )
)
