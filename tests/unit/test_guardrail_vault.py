"""Test the vault: what it keeps, what it refuses, what it shows."""

from __future__ import annotations

import pytest

from worker.conversation.vault import Vault


def test_a_value_has_the_same_placeholder_for_ever() -> None:
    vault = Vault()

    first = vault.keep("PHONE", "+13105550171")
    second = vault.keep("PHONE", "+442079460958")
    again = vault.keep("PHONE", "+13105550171")

    assert (first, second, again) == ("[PHONE_1]", "[PHONE_2]", "[PHONE_1]")


def test_a_stored_vault_goes_on_counting_where_it_stopped() -> None:
    vault = Vault({"[EMAIL_3]": "a@example.com", "[PHONE_1]": "+13105550171"})

    assert vault.keep("EMAIL", "b@example.com") == "[EMAIL_4]"
    assert vault.keep("EMAIL", "a@example.com") == "[EMAIL_3]"
    assert Vault(vault.entries).entries == vault.entries


def test_open_takes_a_placeholder_with_or_without_brackets() -> None:
    vault = Vault({"[CONFIRMATION_NUMBER_1]": "R4MXT8"})

    assert vault.open("[CONFIRMATION_NUMBER_1]") == "R4MXT8"
    assert vault.open("CONFIRMATION_NUMBER_1") == "R4MXT8"
    assert vault.open("[CONFIRMATION_NUMBER_2]") is None


def test_render_puts_values_back_and_leaves_unknown_placeholders() -> None:
    vault = Vault({"[CONFIRMATION_NUMBER_1]": "R4MXT8"})

    rendered = vault.render("Booking [CONFIRMATION_NUMBER_1], card [CARD_NUMBER], phone [PHONE_9].")

    assert rendered == "Booking R4MXT8, card [CARD_NUMBER], phone [PHONE_9]."


@pytest.mark.parametrize("kind", ["CARD_NUMBER", "SSN", "PASSWORD"])
def test_what_must_not_be_kept_is_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="does not keep"):
        Vault().keep(kind, "4111111111111111")


def test_a_vault_in_a_log_line_shows_no_value() -> None:
    vault = Vault({"[EMAIL_1]": "ada@example.com"})

    assert "ada" not in repr(vault)
    assert "ada" not in f"{vault}"


def test_changing_the_entries_given_out_changes_nothing_inside() -> None:
    vault = Vault({"[EMAIL_1]": "ada@example.com"})

    vault.entries["[EMAIL_1]"] = "eve@example.com"

    assert vault.open("[EMAIL_1]") == "ada@example.com"
