"""Addresses: what libpq and redis-py read is read, what is wrong is named, and no secret is in what is said."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from runtime.server_addresses import address_of, find_database_url_problem, find_redis_url_problem, reason_of
from tests.unit.cli_harness import run_fte

POSTGRESQL = [
    ("postgresql://u:secretpw@db:5432/fte", "db:5432/fte"),
    ("postgresql://u:secretpw@db/fte", "db/fte"),
    ("postgres://db", "db"),
    ("postgresql://u:secretpw@h1:5999,h2:5432/fte?target_session_attrs=read-write", "h1:5999,h2:5432/fte"),
    ("postgresql://u:secretpw@/fte?host=h1,h2&port=5999,5432", "h1:5999,h2:5432/fte"),
    ("postgresql://u:secretpw@/fte?host=h1,h2&port=5432", "h1:5432,h2:5432/fte"),
    ("postgresql://?host=h1&password=secretpw", "h1"),
    ("postgresql://h:secret#pw@db/fte", "db/fte"),
    ("postgresql://b:secret[pw@db/fte", "db/fte"),
    ("host=127.0.0.1 port=5432 dbname=fte user=u password=secretpw", "127.0.0.1:5432/fte"),
    ("host=/run/postgresql dbname=fte password='secret pw'", "/run/postgresql/fte"),
    ("hostaddr=10.0.0.7 password=secretpw", "10.0.0.7"),
    ("dbname=fte password=secretpw", "/fte"),
    ("", "libpq's default"),
]
WRONG_POSTGRESQL = [
    "postgresql+psycopg://u:secretpw@db/fte",
    "jdbc:postgresql://db/fte?password=secretpw",
    "u:secretpw@db:5432/fte",
    "postgresql://u:secretpw@db:many/fte",
    "postgresql://u:secretpw@db:70000/fte",
    "postgresql://u:secretpw@db/fte?no_such=1",
]
REDIS = [
    ("redis://:secretpw@cache:6380/3", "cache:6380/3"),
    ("redis://u:secretpw@cache", "cache"),
    ("redis://", "localhost"),
    ("rediss://:secretpw@cache:6380/0?ssl_cert_reqs=none&ssl_ca_certs=/etc/ca.pem", "cache:6380/0"),
    ("rediss://:secretpw@[::1]:6380", "[::1]:6380"),
    ("redis+sentinel://:secretpw@h1:26380,h2/0?primary=main", "main of h1:26380,h2:26379"),
    ("redis+sentinel://h1?primary=main", "main of h1:26379"),
    (
        "redis+sentinel://u:secretpw@h1/2?primary=main&sentinel_username=s&sentinel_password=secretpw",
        "main of h1:26379",
    ),
    ("rediss+sentinel://h1,[::1]:26380/0?primary=main&ssl_ca_certs=/etc/ca.pem", "main of h1:26379,[::1]:26380"),
]
WRONG_REDIS = [
    ("", "begins neither"),
    ("sentinel://:secretpw@cache:26379/0", "redis+sentinel://"),
    ("redis+sentinel://:secretpw@cache/0", "which primary"),
    ("redis+sentinel://:secretpw@cache/0?primary=", "which primary"),
    ("redis+sentinel://:secretpw@/0?primary=main", "not an address"),
    ("redis+sentinel://:secretpw@cache/ops?primary=main", "not an address"),
    ("redis+sentinel://:secret#pw@cache/0?primary=main", "not an address"),
    ("redis+sentinel://:secretpw@a,,b/0?primary=main", "no host:port"),
    ("redis+sentinel://:secretpw@a:many/0?primary=main", "no host:port"),
    ("redis+sentinel://:secretpw@a:70000/0?primary=main", "from 1 to 65535"),
    ("redis+sentinel://:secretpw@a/0?primary=main&master=secretpw", "parameter other than"),
    ("redis+sentinel://:secretpw@a/0?primary=main&ssl_cert_reqs=none", "is for rediss://"),
    ("redis+socket:///tmp/secretpw.sock", "begins neither"),
    ("unix:///tmp/secretpw.sock", "begins neither"),
    ("secretpw:6379/0", "begins neither"),
    ("redis:secretpw", "begins neither"),
    ("redis://a,b/0", "several hosts"),
    ("redis://:secretpw@a:1,b:2/0", "several hosts"),
    ("redis://:secretpw@cache:many/0", "port"),
    ("redis://:secretpw@cache:70000/0", "port"),
    ("redis://:secret[pw@cache/0", "not an address"),
    ("redis://:secret#pw@cache/0", "not an address"),
    ("redis://:secretpw@cache/ops", "number of a database"),
    ("redis://cache/0?protocol=3", "parameter other than"),
    ("redis://cache/0?client_name=secretpw", "parameter other than"),
    ("redis://cache/0?health_check_interval=30", "parameter other than"),
    ("redis://cache/0?password=secretpw", "parameter other than"),
    ("redis://cache/0?ssl_cert_reqs=none", "is for rediss://"),
    ("rediss://cache/0?ssl_cert_reqs=CERT_NONE", "is one of none, optional, required"),
    ("rediss://cache/0?ssl_check_hostname=no", "is one of true, false"),
]


@pytest.mark.parametrize(("url", "shown"), [*POSTGRESQL, *REDIS])
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert address_of(url) == shown


@pytest.mark.parametrize("url", [*WRONG_POSTGRESQL[:3], *(url for url, _ in WRONG_REDIS)])
def test_an_address_that_is_wrong_is_shown_as_such_and_never_raises(url: str) -> None:
    assert "secret" not in address_of(url)


@pytest.mark.parametrize("url", [url for url, _ in POSTGRESQL])
def test_what_libpq_reads_is_an_address_of_postgresql(url: str) -> None:
    assert conninfo_to_dict(url) is not None
    assert find_database_url_problem(url) is None


@pytest.mark.parametrize("url", WRONG_POSTGRESQL)
def test_a_wrong_address_of_postgresql_is_refused_in_words_that_quote_nothing(url: str) -> None:
    problem = find_database_url_problem(url)

    assert problem is not None
    assert "give postgresql://" in problem
    assert "secret" not in problem


@pytest.mark.parametrize("url", [url for url, _ in REDIS])
def test_what_both_redis_clients_read_is_an_address_of_redis(url: str) -> None:
    assert find_redis_url_problem(url) is None


@pytest.mark.parametrize(("url", "said"), WRONG_REDIS)
def test_a_wrong_address_of_redis_is_refused_in_words_that_quote_nothing(url: str, said: str) -> None:
    problem = find_redis_url_problem(url)

    assert problem is not None
    assert said in problem
    assert "secretpw" not in problem


@pytest.mark.parametrize("command", ["worker", "verify"])
@pytest.mark.parametrize(
    ("variable", "url"),
    [("FTE_REDIS_URL", url) for url, _ in WRONG_REDIS if url] + [("FTE_DATABASE_URL", url) for url in WRONG_POSTGRESQL],
)
def test_a_wrong_address_stops_a_command_with_one_line_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, url: str, command: str
) -> None:
    monkeypatch.setenv("FTE_DATABASE_URL", POSTGRESQL[0][0])
    monkeypatch.setenv("FTE_REDIS_URL", REDIS[0][0])
    monkeypatch.setenv(variable, url)

    code, _, told = run_fte(capsys, command)

    assert code == 2
    assert variable in told
    assert "Traceback" not in told
    assert "secretpw" not in told


@pytest.mark.parametrize(
    ("url", "text", "said"),
    [
        (
            "postgresql+psycopg://u:secretpw@h/d",
            'missing "=" after "postgresql+psycopg://u:secretpw@h/d"',
            "Programming",
        ),
        ("postgresql://u:a%20secretpw@h/d", "no pg_hba.conf entry for a secretpw", "no pg_hba.conf entry for …"),
        ("host=h password=secretpw", "secretpw it is\nand more", "… it is"),
        ("redis://:secretpw@h", "secretpw is wrong", "… is wrong"),
        ("redis+sentinel://h,i/0?primary=p&sentinel_password=secretpw", "secretpw is wrong", "… is wrong"),
        ("postgresql://u:secretpw@h/d", "server closed the connection\n\tunexpectedly", "server closed the connection"),
    ],
)
def test_the_reason_of_an_error_holds_neither_the_address_nor_its_password(url: str, text: str, said: str) -> None:
    reason = reason_of(psycopg.ProgrammingError(text), url)

    assert said in reason
    assert "secretpw" not in reason
    assert "\n" not in reason
