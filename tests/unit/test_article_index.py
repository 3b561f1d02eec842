"""What a question finds among the articles that ship: each kind of failure that searches by words alone had."""

from __future__ import annotations

import pytest

from ops.knowledge.articles import read_articles
from ops.knowledge.indexing import index_articles, sections_of
from ops.lab.evaluate.sets import OUR_SETS, FaqRow
from ops.seed import ARTICLES_FOLDER
from worker.models.word_vectors import load_word_vectors
from worker.store.article_index import ArticleIndex, ArticleSection

GOOD_SHARE_MIN, WRONG_SHARE_MAX = 0.8, 0.08
"""What the search comes to on our tuning questions, on which its constants were found, less a row or two."""


@pytest.fixture(scope="module")
def index() -> ArticleIndex:
    return index_articles(read_articles(ARTICLES_FOLDER))


def found(index: ArticleIndex, question: str, about: str = "") -> list[str]:
    return [passage.source.replace(" \u203a ", " > ") for passage in index.search(question, 3, about)][:2]


@pytest.mark.parametrize(
    ("question", "section"),
    [
        ("what measurements may a cabin trolley have", "Carry-on > What you may take on board"),
        ("number of miles to remain a gold member", "Loyalty program and membership > Levels"),
        ("is formula for my baby ok with the liquid limits", "Liquids > Exceptions"),
        ("how long before I see the refunded money", "Refunds > How long it takes"),
        ("does a toddler on my knees cost anything", "Infants and toddlers > On your lap"),
    ],
)
def test_the_section_that_answers_leads_whatever_its_article_repeats(
    index: ArticleIndex, question: str, section: str
) -> None:
    assert found(index, question)[0] == section


@pytest.mark.parametrize(
    ("question", "section"),
    [
        ("would a small spaniel be allowed in the cabin", "Pets > In the cabin"),
        ("what is the price of internet in the air", "Wi-Fi on board > What it costs"),
        ("how old must a girl be to fly with no adult", "Children travelling alone > Age"),
        ("which rows have room for my knees", "Seats and seat selection > Premium rows"),
    ],
)
def test_one_word_of_a_keyword_does_not_lead_to_another_article(
    index: ArticleIndex, question: str, section: str
) -> None:
    assert section in found(index, question)


@pytest.mark.parametrize(
    ("question", "section"),
    [
        ("@LaughingFox is sun lotion ok in the hand luggage, 4 oz??", "Liquids > The limit"),
        ("where do we leave the buggy when we get on", "Infants and toddlers > Strollers"),
        ("overwight suitcase charge", "Baggage > Overweight bags"),
        ("any movies to watch up there", "Entertainment and power outlets > Films and music"),
        ("voucher run out date?", "Gift cards and certificates > Validity"),
    ],
)
def test_other_words_typos_and_handles_find_the_section(index: ArticleIndex, question: str, section: str) -> None:
    assert section in found(index, question)


@pytest.mark.parametrize(
    "question",
    [
        "what is booking class Q",
        "long term parking fees at the terminal",
        "does the crew speak swahili",
        "who designed your uniforms",
        "are you listed on the stock exchange",
        "how high do we fly over the alps",
        "do you rent out tablets",
    ],
)
def test_what_no_article_answers_finds_nothing(index: ArticleIndex, question: str) -> None:
    assert found(index, question) == []


@pytest.mark.parametrize(
    ("question", "sections"),
    [
        ("Can I charge my phone and is there internet?", {"Entertainment and power outlets", "Wi-Fi on board"}),
        ("May I bring my cat? And how many suitcases can I check for free?", {"Pets", "Baggage"}),
        (
            "do you serve vegan food and can i pick a window seat",
            {"Food and drink on board", "Seats and seat selection"},
        ),
    ],
)
def test_a_question_of_two_parts_finds_a_section_for_each(
    index: ArticleIndex, question: str, sections: set[str]
) -> None:
    assert {source.partition(" > ")[0] for source in found(index, question)} == sections


@pytest.mark.parametrize(
    ("before", "question", "section"),
    [
        ("what does a small dog cost in the cabin", "and a cat?", "Pets > In the cabin"),
        ("can my son of eight travel by himself", "and how much is it", "Children travelling alone > What it costs"),
        ("how much is wifi", "and how do i get online", "Wi-Fi on board > How to connect"),
        ("what may a suitcase weigh", "and the size?", "Baggage > Size"),
    ],
)
def test_a_follow_up_keeps_its_subject(index: ArticleIndex, before: str, question: str, section: str) -> None:
    assert section in found(index, question, before)


@pytest.mark.parametrize(
    ("before", "question", "article"),
    [
        ("how much is a second suitcase", "ok and my cat?", "Pets"),
        ("may i take golf clubs", "and my bike too", "Sports equipment"),
        ("do you have lounges", "and wifi?", "Wi-Fi on board"),
    ],
)
def test_the_new_words_of_a_follow_up_go_before_its_subject(
    index: ArticleIndex, before: str, question: str, article: str
) -> None:
    assert found(index, question, before)[0].startswith(article)


def test_our_questions_are_answered_as_often_as_measured(index: ArticleIndex) -> None:
    rows = [FaqRow.model_validate_json(line) for line in (OUR_SETS / "faq.tuning.jsonl").read_text().splitlines()]

    good = wrong = 0
    for row in rows:
        *before, question = row.asked
        cited = {passage.source for passage in index.search(question, 3, before[-1] if before else "")[:2]}
        accepted = set(row.sources)
        good += bool(cited & accepted) if accepted else not cited
        wrong += bool(cited) and not cited & accepted

    assert good / len(rows) >= GOOD_SHARE_MIN
    assert wrong / len(rows) <= WRONG_SHARE_MAX


KITES = ArticleSection("kites", 1, "Kites", "Taking a kite along", "A kite travels as sports equipment and costs $23.")
STAMPS = ArticleSection("stamps", 1, "Stamps", "Posting a card", "We post cards for $2. Ask the crew for a stamp.")


def test_a_section_without_phrasings_is_found_by_what_it_says() -> None:
    shipped = sections_of(read_articles(ARTICLES_FOLDER))
    index = ArticleIndex([*shipped, KITES], [], load_word_vectors())

    assert found(index, "What does it cost to take a kite along?")[0] == "Kites > Taking a kite along"


def test_a_question_listed_as_unanswered_takes_from_what_is_near_it() -> None:
    asked = "who repairs a torn kite"
    with_list = ArticleIndex([KITES, STAMPS], [asked], load_word_vectors())
    without = ArticleIndex([KITES, STAMPS], [], load_word_vectors())

    assert with_list.rank(asked).max() < without.rank(asked).max() - 0.2
    assert with_list.rank("posting a card") == pytest.approx(without.rank("posting a card"), abs=0.02)


@pytest.mark.parametrize("question", ["", "?!", "hello", "the of and", "\u200b\u4f60\u597d"])
def test_a_question_that_says_nothing_finds_nothing(index: ArticleIndex, question: str) -> None:
    assert index.search(question, 3) == []


def test_a_tenant_without_articles_finds_nothing() -> None:
    index = ArticleIndex([], [], load_word_vectors())

    assert index.search("how many bags can I bring", 3, "and my dog") == []


def test_a_keyword_of_several_words_counts_as_a_whole_alone() -> None:
    club = ArticleSection("club", 1, "Club", "Rooms", "Rooms for members.", ("extra legroom",))
    other = ArticleSection("other", 1, "Other", "Rooms", "Rooms for members.")
    index = ArticleIndex([club, other], [], load_word_vectors())

    whole, part = index.rank("extra legroom"), index.rank("extra blanket")

    assert whole[0] - whole[1] > part[0] - part[1] + 0.1
