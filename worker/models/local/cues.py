"""Recognise what a customer's words point to: cues that the classifier weighs and that some rules act on by themselves."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ANGRY = (
    r"worst|terrible|horrible|awful|unacceptable|ridiculous|disgust\w*|furious|livid|angry|pissed|outrag\w*|pathetic|"
    r"disgrac\w*|shame(?:ful|less)?|ashamed|incompeten\w*|rude(?:st|ly|ness)?|disrespect\w*|unprofessional|disappoint\w*|"
    r"frustrat\w*|fed up|appall\w*|insult\w*|joke|clueless|useless|never (?:again|fly\w*|flying|book\w*|using)|"
    r"sick of|tired of|nightmare|hell(?:ish)?|sucks?|suck|wtf|fail\w*|screw\w*|ruin\w*|bullshit|crap\w*|damn|fuck\w*|"
    r"lied|lies|liars?|scam\w*|rip[- ]?off|steal\w*|stranded|unhappy|upset|mad|hate|absurd|insane|atrocious|disaster|mess|"
    r"mistreat\w*|humiliat\w*|inexcusable|no excuse|lost (?:a|my|this) (?:customer|business)|ugh|poor(?:ly)?|lousy"
)
_OUR_WORDS = (
    r"flights?|fly|flying|flew|flown|airlines?|airways|airports?|planes?|aircraft|airplanes?|bookings?|booked|rebook\w*|"
    r"reservations?|seats?|seat(?:ing|ed)|aisle|luggage|bag(?:s|gage)?|carry[- ]?ons?|suitcases?|boarding|boarded|onboard|"
    r"check(?:ed|ing)?[- ]?in|gates?|tickets?|fares?|itinerary|pnr|miles|layovers?|connections?|connecting|standby|"
    r"passengers?|crew|pilots?|attendants?|cabin|economy|business class|first class|upgrades?|delayed|departures?|departs?|"
    r"departing|arrivals?|arriv\w+|terminal|lounge|tsa|jet|tarmac|runway|nonstop|one[- ]way|round[- ]trip|frequent flyer|"
    r"overhead|legroom|customs|landed|landing|take ?off"
)
_BRANDS = (
    r"comcast|xfinity|verizon|at&t|t-?mobile|sprint|netflix|hulu|spotify|amazon|alexa|echo|ebay|paypal|venmo|apple|iphone|"
    r"ipad|ios|icloud|itunes|macbook|mac|siri|microsoft|windows|xbox|playstation|ps[345]|nintendo|steam|google|android|gmail|"
    r"chrome|youtube|facebook|instagram|whatsapp|tiktok|snapchat|uber|lyft|doordash|grubhub|starbucks|mcdonald'?s|burger king|"
    r"kfc|chipotle|domino'?s|walmart|costco|tesco|sainsbury'?s|asda|aldi|lidl|ikea|best buy|fedex|ups|usps|dhl|wells fargo|"
    r"bank of america|chase|citibank|barclays|hsbc|directv|spectrum|amtrak|greyhound|samsung|sony|dell|lenovo|adobe|photoshop|"
    r"airbnb|hertz|avis|tesla|toyota|honda|ford|nike|adidas|nba ?2k\d*|argos|morrisons|hp"
)

CUES: Mapping[str, re.Pattern[str]] = MappingProxyType({
    name: re.compile(rf"\b(?:{pattern})\b")
    for name, pattern in {
        "ours": _OUR_WORDS,
        "brand": _BRANDS,
        "angry": _ANGRY,
        "human": (
            r"(?:speak|talk|chat|connect\w*|transfer\w*|put|get|reach|forward\w*)(?: me| us)?(?: through)?(?: to| with)?(?: an?| the| your| some| another|"
            r" any| real| actual| live)* (?:humans?|person|people|representatives?|rep|operators?|supervisors?|manager|someone|"
            r"somebody|human being|agents?|specialist|colleague)|(?:human|real person|live person|live agent|supervisor|manager|"
            r"representative|operator)(?: please)?|customer relations|not (?:a |talk to a )?(?:bot|robot|machine|computer)|(?:escalate|escalation)"
        ),
        "lost_bag": (
            r"(?:lost|lose|losing|missing|misplaced|never (?:arrived|came|showed|made it)|didn'?t (?:arrive|come|make|show)|did not (?:arrive|come|make|show)|stolen|"
            r"still (?:waiting|looking|no|don'?t have)|delayed|left behind|where(?:'s| is| are))\b.{0,50}\b(?:bags?|luggage|baggage|suitcases?|"
            r"stroller|golf clubs|belongings|property)|(?:bags?|luggage|baggage|suitcases?)\b.{0,45}\b(?:lost|missing|never (?:arrived|came|showed|made)|didn'?t "
            r"(?:arrive|come|make|show)|not (?:here|arrived|delivered|on)|stolen|misplaced|still (?:in|at|not|hasn'?t)|hasn'?t|left behind|wrong (?:city|airport))"
        ),
        "damaged": (
            r"(?:damag\w*|broke|broken|destroy\w*|ruin\w*|torn|ripped|crush\w*|smash\w*|soaked|dented|stole|stolen)\b.{0,40}\b(?:bags?|luggage|baggage|suitcases?|"
            r"stroller|guitar|wheelchair|clubs|items?|belongings)|(?:bags?|luggage|baggage|suitcases?|stroller|guitar|wheelchair)\b.{0,40}\b(?:damag\w*|"
            r"broke|broken|destroy\w*|ruin\w*|torn|ripped|crush\w*|smash\w*|soaked|wet|dented)"
        ),
        "left_item": r"left (?:my|a|an|our|his|her|some\w*)\b.{0,50}\b(?:plane|flight|seat|board|gate|overhead|pocket|lounge)|lost (?:and found|item)",
        "bereavement": (
            r"funeral|passed away|died|dying|death (?:in|of)|deceased|bereave\w*|dead (?:mother|father|mom|dad)|family emergency|"
            r"in (?:the )?hospital|hospitali[sz]ed|critically ill|miscarriage|emergency surgery|terminal(?:ly)? ill\w*"
        ),
        "medical": (
            r"wheelchairs?|disab\w+|blind|deaf|autis\w+|handicap\w*|special assistance|allerg(?:y|ies|ic)|oxygen|"
            r"ventilator|medical|surgery|seizures?|chemo\w*|cancer|dementia|alzheimer\w*|paraly\w+|cerebral palsy|service (?:dog|animal)|crutches|"
            r"can'?t walk|heart condition|diabet\w+|pacemaker|ptsd|epilep\w+"
        ),
        "own_need": r"my|i|i'?m|we|our|she|he|her|his|needs?|need",
        "compensation": r"compensat\w*|reimburs\w*|goodwill|make (?:it|this) right|make up for|owe[ds]? me|for (?:my|the|our) (?:trouble|inconvenience)",
        "refund": r"refund\w*|money back|charge ?back|overcharged?|charged (?:me )?(?:twice|double|again)|double charged|dispute",
        "refund_dispute": (
            r"(?:still|never|where(?:'s| is)|waiting|denied|refus\w+|promised|weeks?|months?|demand|owe\w*|deserve|must|have to|need to)\b.{0,50}\b(?:refund\w*|money back|reimburs\w*)|"
            r"refund\w*.{0,40}(?:still|never|denied|refus\w+|months?|weeks?|not (?:received|processed)|dispute)"
        ),
        "complain": r"complain\w*|complaints?|file a|report(?:ing)? (?:an?|your|this)|sue|lawyer|attorney|legal action|lawsuit|bbb|dot complaint",
        "complaint": r"complain(?:ts?|ing|ed)?|lawyer|attorney|lawsuit|legal action",
        "waiting": r"(?:on hold|waiting|waited|wait|sitting|sat|stuck|delayed|late)\b.{0,40}\b(?:\d+|two|three|four|five|six|several|hours?|hrs?|mins?|minutes|forever|days?|weeks?)",
        "stuck": r"stuck|stranded|tarmac|missed (?:my|our|the|her|his)|bumped|denied boarding|kicked off|oversold|overbook\w*|no (?:one|body)|nobody|nothing|no (?:answer|help|response|explanation|apology)",
        "again": r"again|third time|second time|every time|always|still",
        "how_question": r"^(?:hi |hello |hey |so |ok |and |also |question |quick question )*(?:how|what|what's|whats|when|which|where|why|who|is|are|do|does|can|could|may|will|should|if)",
        "policy": (
            r"polic\w+|rules?|allow(?:ed|ance)?|permit\w*|require[ds]?|fees?|cost|how much|limits?|dimensions?|size|weight|maximum|max|"
            r"included|free|eligible|expire|valid|accept|offer|difference between|mean|means"
        ),
        "request": r"(?:i|we)(?:'d| would)? (?:want|need|like|wanna|wish)|please|can you|could you|would you|help me|help us|trying to|looking to|i'?d like|need to|gotta|pls|plz",
        "my_booking": r"(?:my|our|this|the|her|his) (?:\w+ )?(?:flights?|bookings?|reservations?|tickets?|seats?|trips?|itinerary|connections?|return|upgrade|boarding pass)",
        "change": r"chang\w*|switch\w*|move|rebook\w*|reschedul\w*|cancel\w*|modif\w*|correct\w*|fix|add|remove|update|upgrade|book|select|assign\w*|swap|postpone|earlier|later",
        "route": r"from \w+(?: \w+)? to \w+|to \w+ from \w+|flights? (?:from|to|between|out of)|leaving (?:from|at|on|in)|round[- ]trip|one[- ]way",
        "status": r"(?:flight|plane) status|on time|what (?:time|gate)|which gate|status of|has .{0,20}landed",
        "code": r"<confirmation>|confirmation (?:number|code)|pnr|record locator|booking reference",
        "thanks": r"thanks?|thank you|thx|ty|cheers|appreciate\w*",
        "greeting": r"hi|hello|hey|good (?:morning|evening|afternoon|day)|greetings|bonjour|hola",
        "trade": (
            r"recipes?|cook|bake|poem|homework|essay|python|javascript|code|song|music|playlist|movie|weather|restaurant|hotel|pizza|"
            r"football|bank|account balance|credit score|mortgage|phone|laptop|computer|router|wifi|internet|app|subscription|"
            r"password|doctor|dentist|apartment|calories|translate|joke|timer|alarm|reminder|car|oil|tire|train|bus|taxi|stock|stocks|"
            r"paragraph|article|sentence|story|game|tv|speaker|order|delivery|package|card|atm|top[- ]?up|exchange rate"
        ),
    }.items()
})
"""Every cue by name. They read text as `intent.flatten` leaves it: lower case, one space, placeholders as `<kind>`."""


def cues_in(flat: str) -> frozenset[str]:
    """Name the cues that a flattened text holds."""
    return frozenset(name for name, pattern in CUES.items() if pattern.search(flat))
