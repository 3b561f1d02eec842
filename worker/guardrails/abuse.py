"""Tell abuse from anger: threats, hate, slurs, degrading insults and heavy profanity aimed at people.

Local and deterministic. Three things make a word abusive: what it is, whom it is aimed at, and who says it. "Your agent
called me an idiot" holds the word and is a complaint; "would it kill you to answer" holds the verb and is an idiom.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

AbuseReason = Literal["none", "threat", "hate", "slur", "insult", "profanity"]


@dataclass(frozen=True)
class AbuseVerdict:
    """Say whether a message is abusive, how sure that is (0 to 1), and of what kind it is."""

    is_abusive: bool
    confidence: float
    reason: AbuseReason


class _Rule(NamedTuple):
    reason: AbuseReason
    confidence: float
    pattern: re.Pattern[str]


_CALM = AbuseVerdict(is_abusive=False, confidence=0.9, reason="none")


def assess_abuse(text: str) -> AbuseVerdict:
    """Judge one normalised, masked message of a customer."""
    spoken = _undisguise(text)
    for rule in _rules():
        for match in rule.pattern.finditer(spoken):
            if not _is_reported(spoken, match.start()):
                return AbuseVerdict(is_abusive=True, confidence=rule.confidence, reason=rule.reason)
    return _CALM


_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "|": "i"})
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W\d_][\s.\-_*]{1,2}){3,}[^\W\d_](?![^\W_])")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_WORD = re.compile(r"[^\s]+")
_STARRED = {
    re.compile(r"\bf[*#@u\-_]{1,3}c?k"): "fuck",
    re.compile(r"\bf\*+\b"): "fuck",
    re.compile(r"\bs[*#@\-_]{1,2}t\b"): "shit",
    re.compile(r"\bb[*#@\-_]{1,2}t?ch"): "bitch",
    re.compile(r"\ba[*#@$\-_]{2}(?=holes?\b|\b)"): "ass",
    re.compile(r"\bc[*#@\-_]nts?\b"): "cunt",
    re.compile(r"\b(?:fuk|fck|fvck|phuck|fuc|fcuk)(?=(?:ing|in|er|ers|ed|s)?\b)"): "fuck",
    re.compile(r"\bn[*i1!][*g]{2}[*e3a][*r]?s?\b"): "nigger",
}


def _undisguise(text: str) -> str:
    """Undo what hides a word: capitals, digits for letters, stars, spaces between letters, stretched vowels.

    Gives words and single sentence marks separated by blanks; apostrophes are dropped, so that "you're" is "youre".
    """
    lowered = text.lower().replace("\u2019", "'")
    lowered = _SPACED.sub(lambda match: re.sub(r"[\s.\-_*]", "", match[0]), lowered)
    for pattern, plain in _STARRED.items():
        lowered = pattern.sub(plain, lowered)
    words = [_undo_leet(word) for word in _WORD.findall(lowered)]
    joined = re.sub(r"'", "", " ".join(words))
    joined = re.sub(r"([.!?;,:])[.!?;,:]*", r" \1 ", joined)
    joined = re.sub(r"[^a-z0-9.!?;,: ]", " ", joined)
    return " " + re.sub(r"\s+", " ", _STRETCHED.sub(r"\1", joined)).strip() + " "


def _undo_leet(word: str) -> str:
    core = word.rstrip("!?.,;:")
    if not re.search(r"[a-z]", core) or not re.search(r"[0-9@$!|]", core) or core.startswith("@"):
        return word
    return core.translate(_LEET) + word[len(core) :]


_REPORTED = re.compile(
    r"\b(?:called|calling|calls|told|telling|tells|said|says|saying|yelled|screamed|shouted|shouting|named|labell?ed|wrote|"
    r"texted|the word|the term|slur|quote|refer(?:red)? to|describ(?:e|ed|es)|accus(?:e|ed)|treat(?:s|ed|ing)?|made me feel|"
    r"feel like|felt like|racist to|wrong to|offensive to|hate when people|"
    r"hate people who|hate it when|people who|anyone who|think im|thinks im|think i am)\b(?: [a-z0-9,]+){0,7} $"
)
_DENIED = re.compile(r"\b(?:dont|do not|didnt|never|stop|nobody should|no one should|not)\b(?: [a-z0-9,]+){0,3} $")
_ABOUT_MYSELF = re.compile(
    r"\b(?:im|i am|i was|i feel|i felt|i look|me)(?: (?:like|such|a|an|the|so|just|really|total|complete|being|absolute|stupid))* $"
)
_REACH_CHARACTERS = 60


def _is_reported(spoken: str, start: int) -> bool:
    """Say whether the words before a match make it somebody else's: told, quoted, denied or objected to."""
    before = spoken[max(0, start - _REACH_CHARACTERS) : start]
    clause = re.split(r"[.!?;]", before)[-1]
    return any(pattern.search(clause) for pattern in (_REPORTED, _DENIED, _ABOUT_MYSELF))


@cache
def _lexicon() -> dict[str, str]:
    """Read the word classes, each as one alternation with plurals, longest first."""
    written = resources.files("worker.guardrails").joinpath("abuse_lexicon.txt").read_text(encoding="utf-8")
    classes: dict[str, list[str]] = {}
    section: list[str] = []
    for line in written.splitlines():
        if line.startswith("["):
            section = classes.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            section.extend(line.replace("-", " ").split() if "-" not in line else [w.replace("-", " ") for w in line.split()])
    return {
        name: "(?:" + "|".join(re.escape(word) + "(?:e?s)?" for word in sorted(words, key=len, reverse=True)) + ")"
        for name, words in classes.items()
    }


_ADDRESS = r"(?:you|u|ya|yall|you all|you guys|you people|all of you|youse)"
_ARE = r"(?:are|r|is|was|were|re)"
_YOU_ARE = rf"(?:{_ADDRESS} (?:all |guys |people )?(?:{_ARE}|sound like|look like|act like|must be)|youre|ur|your all|yall)"
_THEY_ARE = rf"(?:(?:he|she|they|it|this|that) {_ARE}|hes|shes|theyre)"
_FILLERS = (
    r"(?: (?:a|an|all|the|such|just|so|really|truly|total|complete|utter|absolute|bunch of|bunch|pack of|load of|lot of|set of|"
    r"nothing but|no better than|fucking|fuckin|freaking|damn|goddamn|bloody|real|big|little|one|dumb|stupid|lazy|rude|old|"
    r"pathetic|worthless|useless|incompetent|ignorant|biggest|most|as|like|of|fat|ugly|dirty|filthy|lying|cheating|disgusting))*"
)
_HARM = (
    r"(?:kill|murder|shoot|stab|strangle|choke|beat|punch|slap|smash|hurt|burn|rape|hang|behead|bomb|slaughter|gas|execute|"
    r"kick|break|cut|slit|drown|poison|knock|rip|skin|gut|hunt|assault|attack|bash|run over|hit|spit on|fuck up|exterminate|lynch)"
)
_HARMED = (
    r"(?:shot|killed|hanged|hung|gassed|wiped out|exterminated|castrated|put down|lynched|euthani[sz]ed|burned|burnt|executed|"
    r"slaughtered|eliminated|sterili[sz]ed|beaten|raped|stabbed|murdered|whipped|tortured|drowned|deported|locked up|punched|slapped)"
)
_INTENT = (
    r"(?:ill|well|(?:i|we|someone|somebody|they) (?:will|am going to|are going to|gonna|wanna|want to|should|would love to|"
    r"would like to|ought to|could just|am about to|feel like|need to|must|oughta|am gonna|are gonna|have to|swear)|im going to|"
    r"im gonna|were going to|were gonna|im about to|i swear ill|gonna|going to|lets|id love to|id like to|time to|we need to)"
)


@cache
def _rules() -> tuple[_Rule, ...]:
    """Build the rules, the gravest first; each pattern reads the undisguised text."""
    return tuple(
        _Rule(reason, confidence, re.compile(rf"(?<= )(?:{pattern})(?= )"))
        for reason, confidence, patterns in (
            ("threat", 0.95, _threats()),
            ("hate", 0.9, _hate()),
            ("slur", 0.9, (_lexicon()["slur"],)),
            ("insult", 0.85, _insults()),
            ("profanity", 0.8, _profanity()),
        )
        for pattern in patterns
    )


def _threats() -> tuple[str, ...]:
    words = _lexicon()
    people = rf"(?:{words['person']}|{words['group']}|{words['slur']}|{words['ambiguous']}|{words['insult']}|{words['gendered']})"
    group = rf"(?:(?:all|every|these|those|the) )*{words['group']}"
    target = (
        rf"(?:(?:all |every |each )?(?:of )?(?:you|u|ya|yall|your(?: [a-z]+)?|ur(?: [a-z]+)?|him|her|them|whoever)|"
        rf"(?:(?:the|that|this|those|these|all|every|any|some|fucking|stupid) ){{1,3}}(?:[a-z]+ )?{people})"
    )
    idiom = r"(?: (?:up|out|down|the traffic|an?|some) (?:email|line|text|note|message|time|favou?r))"
    return (
        rf"{_INTENT}(?: (?:just|personally|fucking|literally|really|come and|come|go|find you and|find and|track you down and))*"
        rf" {_HARM}(?: the (?:shit|hell|crap|fuck) out of| up| down)? {target}(?!{idiom})",
        rf"(?:hope|wish|pray|praying|hoping)(?: that)? {target}(?: and [a-z ]{{1,30}}?)?(?: all| would| will| just| fucking)*"
        r" (?:dies?|crash(?:es)?|burns?|rots?|chokes?|suffers?|bleeds?|gets? (?:cancer|raped|shot|killed|hit|aids|hurt|stabbed)|"
        r"drops? dead|drowns?|never wakes? up|falls? (?:out|off)|ends? up (?:dead|in hell))",
        rf"(?:deserves?|needs?|ought|want(?:s)?|has|have|should)(?: all)?(?: to)?(?: all)?(?: fucking)? (?:be|get|die|burn|rot) ?"
        rf"(?:{_HARMED}|in hell|slowly|painfully|alive)(?! (?:out|by (?:customs|your policy)))",
        rf"{target}(?: all)?(?: people)? (?:deserves?|should|needs?)(?: all)?(?: just)?(?: to)? (?:die|drop dead|kill (?:your|them)sel(?:f|ves)|disappear forever)",
        r"(?:go|please|just|you should|why dont you|u should)(?: just| and| please| go)* (?:die|kill (?:yourself|urself|yourselves|ur self)|"
        r"hang (?:yourself|yourselves)|drop dead|jump off [a-z ]{1,20}|drink bleach)|kys|kill (?:yourself|yourselves|urself)|drop dead",
        r"(?:i|we|ill|well) (?:know|will find out|find out|will find|found out|can find)(?: out)? where (?:you|u|your [a-z]+)(?: all)? (?:live|lives|works?|parks?|sleeps?|goes? to school)",
        rf"death to (?:{target}|{group})|(?:crawl|curl up|go|jump|fuck off)[a-z ]{{0,25}} and die|(?:i )?hope you die",
        rf"(?:{target}|{group})(?: people)? (?:would|should|could)(?: all)? (?:be|all be|be better off)(?: better off)? (?:dead|gone)",
        r"watch your back|(?:you|u|he|she|they) (?:are|r|is)(?: all)?(?: so)? (?:dead|a dead (?:man|woman)|dead (?:men|meat))|youre(?: all)?(?: so)? dead|"
        r"sleep with one eye open|(?:you|u) better (?:run|hide|watch (?:out|yourself)|pray|sleep)|"
        rf"(?:ill|i will|were gonna|im gonna|im going to|we will|i am going to) (?:(?:hunt|track|come (?:after|for)|get) {target}(?: (?:down|one day|all|soon|personally))(?! (?:a|an|some) )|find {target} (?:one day|soon|and(?! (?:get|talk|ask|speak|meet|board|give|pay))))",
        r"(?:blow|shoot|burn|bomb|light)(?: up| down)? (?:the|this|that|your|ur) (?:whole |entire |fucking |damn |stupid )*(?:plane|airport|office|building|place|flight|"
        r"counter|desk|headquarters|hq|terminal|house|call center|gate)(?: up| down| on fire)?",
        r"(?:im|ill|i am|i will|going to|gonna) (?:bring|bringing|coming|come|show up|showing up|walk in|walking in)[a-z ]{0,30} (?:a|my) (?:bomb|gun|knife|bat|rifle)"
        r"(?! (?:in|as) (?:my )?(?:checked|luggage|baggage|suitcase))|(?:theres|there is|i (?:have|put|planted|left)|i got|we (?:have|put|planted)) (?:a|the) bomb",
        r"(?:next time|wait (?:till|until)|if) i see (?:you|him|her|that|one of you)[a-z ,]{0,40}(?:punch|hurt|kill|beat|break|smash|sorry you|regret)",
        r"(?:break|smash|bash|carve|cut|rip|slit|kick|punch|slap|knock)(?: off| in| out)? (?:your|ur|his|her|their)(?: fucking| stupid| ugly)* "
        r"(?:face|faces|neck|necks|legs?|head|heads|throat|throats|teeth|jaw|bones|skull|skulls|ass|nose)",
    )


def _hate() -> tuple[str, ...]:
    words = _lexicon()
    group, insult, degrading = words["group"], words["insult"], words["degrading"]
    strong = r"(?:(?:really|absolutely|fucking|just|truly|totally|so|all|those|these|the|every|most|such|any|damn|your|stupid|dirty|filthy) )*"
    return (
        rf"(?:i|we|everyone|everybody) (?:really |fucking |absolutely |just |truly |completely |so )*(?:hate|despise|loathe|detest|cant stand|cannot stand|"
        rf"am (?:sick|tired|disgusted) (?:of|by)|am disgusted by|want to get rid of) {strong}{group}(?! (?:policy|policies|rule|rules|section|seats?|line|when))",
        rf"{strong}{group}(?: people)? {_ARE}(?: not)?(?: (?:all|just|so|such|nothing|but|a|an|the|like|fucking|really|nothing but|literally|basically|bunch of|complete|total|always|to))* (?:{insult}|{degrading}|human|equal|real (?:women|men)|welcome here)",
        rf"(?:fucking|filthy|dirty|stupid|disgusting|damn|bloody|worthless|nasty|smelly|lying|greedy|savage|illegal) {group}",
        rf"(?:get rid of|deport|ban|kick out|exterminate|wipe out|gas|no more|send)(?: all| the| these| those| every)* {group}",
        rf"{group}(?: people)? (?:should(?:nt| not| never)|dont deserve|do not deserve|dont belong|do not belong|must not|"
        rf"should (?:go back|stay (?:in|away|out)|know (?:their|her) place|be (?:{_HARMED}|banned|kept)|all|just)|need to (?:go back|die|leave)|"
        r"are (?:ruining|destroying|taking over|invading|stealing))",
        r"go back to (?:your|ur|their|where you|where ya|where they|africa|mexico|china|india|pakistan|the kitchen)(?! (?:site|page|website|seat|app|question|email|account|desk))(?: own)?(?: country| come| came| hell| shithole)?",
        rf"(?:you|u|youre|your) (?:are )?(?:nothing but )?(?:just )?(?:another )?(?:a |an )?(?:typical |dirty |filthy |stupid |fucking |dumb ){{1,3}}{group}",
    )


def _insults() -> tuple[str, ...]:
    words = _lexicon()
    insult = rf"(?:{words['insult']}|{words['ambiguous']}|{words['gendered']}|{words['slur']}|pieces? of (?:shit|crap|trash|garbage|scum|filth|human garbage)|"
    insult += r"wastes? of (?:space|oxygen|air|skin|life|human life)|sacks? of (?:shit|crap)|human (?:garbage|trash|scum|waste)|scum of the earth|sons? of (?:a )?bitch(?:es)?|trash people)"
    adjective, person, airline = words["insult_adjective"], words["person"], words["airline"]
    whose = r"(?:your|ur|the|this|that|these|those|his|her|their|all|both|every|you|stupid|some|one of your|most of your)"
    staff = rf"{whose}(?: [a-z]+){{0,3}} {person}"
    return (
        rf"{_YOU_ARE}(?: not)?{_FILLERS} {insult}",
        rf"{_YOU_ARE}(?: (?:all|just|so|really|such|a|an|fucking|too|very|completely|beyond|bunch of|that))* (?:stupid|dumb|retarded|brainless|worthless|pathetic|braindead|brain dead|ugly|disgusting|subhuman|vile|inbred|repulsive|moronic|idiotic|shitty)"
        r"(?! (?:policy|policies|service|rule|rules|app|website|airline|price|prices|fees?|system|for (?:having|charging)))",
        rf"{_ADDRESS}(?: (?:are|all))?{_FILLERS} {insult}",
        rf"(?:{staff}|{_THEY_ARE}|(?:{airline})(?: [a-z]+)? {_ARE}(?: run| staffed| full)?(?: by| with| of)?)(?: {_ARE})?{_FILLERS} {insult}",
        rf"(?:{staff}) {_ARE}(?: (?:all|just|so|really|such|fucking|too|very|completely))* (?:stupid|dumb|retarded|brainless|worthless|braindead|subhuman|inbred|moronic)",
        rf"(?:fucking|fuckin|stupid|dumb|dumbass|shitty|bitchy|retarded|lying|worthless|moronic|idiotic|goddamn|damn|useless fucking|bloody|filthy|ugly|fat|inbred|lazy ass|incompetent) (?:fucking |ass |little |old )?(?:{insult}|{person})",
        rf"(?:listen|hey|ok|okay|thanks|well|look|answer me|bye|hello|hi|yo|learn|enjoy|again)(?: up)?(?: ,)?(?: you)? (?:fucking |stupid |dumb )*{insult} [,.!?]?",
        rf", (?:you )?(?:fucking |stupid |dumb |absolute )*{insult}(?= [.!?]| $)",
        rf"(?:these|those|such|what an?|what|bunch of|pack of|buncha|absolute|total|complete|utter|a bunch of|full of|you)(?: (?:a|an|of|fucking|stupid|dumb|total|complete|absolute))* (?:idiot|moron|imbecile|asshole|arsehole|dickhead|shithead|bastard|prick|wanker|scumbag|scum|douchebag|dumbass|jackass|motherfucker|fucker|cunt|bitch|retard|piece of shit|cocksucker)(?:e?s)?",
        r"(?:fire|sack)(?: that| those| this| the| your)*(?: (?:fucking|stupid|dumb|fat|ugly|lazy))+ [a-z]+",
        rf"{words['gendered']}(?! in heat)|[a-z]*(?:bitch(?!ing|ed|y|(?:es)? in heat)|cunt|nigger|faggot|asshole|motherfuck|fuckyou|fuckoff)[a-z]*",
        r"(?:mother ?fuckers?|cock ?suckers?|assholes?|dickheads?|shitheads?|fuckfaces?|fuckheads?|dumbfucks?|scumbags?|ass ?wipes?|ass ?hats?)",
        r"(?:nobody|no one) (?:loves|likes|wants|would miss|cares about) you|your (?:mother|mom|mum|mama) (?:is|was|should|must)|(?:you|u) (?:make me sick|disgust me|should be ashamed to be alive)",
        r"(?:you|u|yall|you guys|you people|you all) (?:all )?(?:fucking|fuckin|seriously fucking|really fucking) (?:suck|stink|blow|disgust|lie|lied|ruined|people|clowns)",
    )


def _profanity() -> tuple[str, ...]:
    words = _lexicon()
    aimed = rf"(?:you|u|ya|yall|your|ur|yourselves|yourself|off|him|her|them|this (?:airline|company)|that (?:agent|guy|woman|lady|man)|everyone|all of|{words['airline']}|{words['person']})"
    return (
        rf"(?:fuck|fck|screw|damn|go fuck|f)(?: the| this| that| those| these| all| every)? (?:{aimed})(?! (?:up|over) (?:my|our|the|this))",
        r"go to hell|rot in hell|burn in hell|see you in hell|eat shit|eat a (?:dick|bag of dicks)|suck (?:my|a|it|on my)(?: [a-z]+)?(?<! it)|kiss my ass|lick my|"
        r"shove (?:it|that|your|this|the)[a-z ]{0,40} (?:up|where)[a-z ]{0,12}(?:ass|arse|butt|shine)|(?:up|stick it up) (?:your|ur) (?:ass|arse)|"
        r"shut (?:the (?:fuck|hell) )up|shut (?:your|ur) (?:mouth|face|trap|hole)|stfu|gtfo|foad|piss off|bugger off|sod off|get fucked|screw you|"
        r"f off|f you|f u|fu|fuq|fuck u|(?:blow|bite) me|(?:you|u) can (?:all )?(?:suck|choke|fuck)[a-z ]*",
        r"(?:your|ur)(?: [a-z]+){0,2} (?:fucking|fuckin) (?:face|mouth|head|brain|brains|ass|mother|family|agents?|staff|employees?|people|crew)",
    )
