"""Lists of people: every common form is read, and every other line is named with its number and reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.invitations.invitees import MAXIMUM_LINES, parse_invitees


def people(text: str) -> list[tuple[str, str, str]]:
    parsed = parse_invitees(text)
    assert parsed.problems == ()
    return [(person.first_name, person.last_name, person.address) for person in parsed.invitees]


RUTH = ("Ruth", "Ott", "ruth@example.org")


@pytest.mark.parametrize(
    "line",
    [
        "Ruth Ott <ruth@example.org>",
        '"Ruth Ott" <ruth@example.org>;',
        '"Ott, Ruth" <ruth@example.org>',
        "Ott, Ruth <ruth@example.org>",
        "Ruth Ott; ruth@example.org",
        "Ruth Ott, ruth@example.org",
        "Ruth Ott\truth@example.org",
        "Ruth\tOtt\truth@example.org",
        "ruth@example.org; Ruth Ott",
        "Ruth, Ott, ruth@example.org",
        '"Ott, Ruth",ruth@example.org',
        "\ufeffRuth  Ott ; \u200bruth@example.org \r",
        "Ruth\xa0Ott <ruth@example.org>",
    ],
)
def test_reads_a_name_and_an_address_in_every_common_form(line):
    assert people(line) == [RUTH]


def test_reads_addresses_alone_and_skips_blank_lines_and_comments():
    assert people("\n# readers\n\nruth@example.org\r\n<paul@example.org>\r") == [
        ("", "", "ruth@example.org"),
        ("", "", "paul@example.org"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "E-Mail;Nachname;Vorname;Ort\nruth@example.org;Ott;Ruth;Bern",
        "name,email\nRuth Ott,ruth@example.org",
        "first name\tlast name\tmail\nRuth\tOtt\truth@example.org",
        '"Name","Address"\n"Ott, Ruth","ruth@example.org"',
    ],
)
def test_reads_a_table_with_a_header_in_any_order(text):
    assert people(text) == [RUTH]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Ruth Ott", "has no address"),
        ("Ruth Ott <ruth at example.org>", "“ruth at example.org” is not a mail address"),
        ("Ruth Ott, ruth@example", "is not a mail address"),
        ("a@example.org; b@example.org", "more than one address"),
        ("Ruth <a@example.org>, Paul <b@example.org>", "more than one address"),
        ("Ruth, Ott, Bern, ruth@example.org", "more than a name and an address"),
        (f"{'R' * 151}, ruth@example.org", "The name has more than 150 characters"),
        ("Ruth\x00Ott, ruth@example.org", "control characters"),
        ("Ruth\x0bBcc: all@example.org, ruth@example.org", "control characters"),
        ("Ruth\u2028Bcc, ruth@example.org", "control characters"),
    ],
)
def test_names_a_bad_line_with_its_number_and_reason(line, message):
    parsed = parse_invitees(f"# list\n\n{line}\npaul@example.org")
    assert [person.address for person in parsed.invitees] == ["paul@example.org"]
    assert [problem.line for problem in parsed.problems] == [3]
    assert message in parsed.problems[0].message


def test_names_an_address_that_stands_twice():
    parsed = parse_invitees("Ruth <ruth@example.org>\nPaul <paul@example.org>\nR. Ott <RUTH@example.org>")
    assert [person.line for person in parsed.invitees] == [1, 2]
    assert [(problem.line, problem.message) for problem in parsed.problems] == [
        (3, "The address is in line 1 already.")
    ]


def test_reads_500_lines_and_a_header_and_says_what_is_left_out():
    lines = [f"reader{number}@example.org" for number in range(MAXIMUM_LINES)]
    assert len(people("name;mail\n" + "\n".join(f";{line}" for line in lines))) == MAXIMUM_LINES
    parsed = parse_invitees(
        "name;mail\n" + "\n".join(f";{line}" for line in [*lines, "x@example.org", "y@example.org"])
    )
    assert len(parsed.invitees) == MAXIMUM_LINES
    assert [problem.line for problem in parsed.problems] == [MAXIMUM_LINES + 2]
    assert "at most 500 lines" in parsed.problems[0].message


PIECES = st.sampled_from(
    [
        "Ruth",
        " ",
        "@",
        "ruth@example.org",
        "<",
        ">",
        ",",
        ";",
        "\t",
        '"',
        "'",
        "\n",
        "\r",
        "\x00",
        "\u202e",
        "name",
        "mail",
        "#",
    ]
)


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=30).map("".join)))
def test_no_text_breaks_the_parser_or_a_header_of_a_mail(text):
    parsed = parse_invitees(text)
    addresses = [person.address.lower() for person in parsed.invitees]
    assert len(addresses) == len(set(addresses))
    for person in parsed.invitees:
        assert person.address.count("@") == 1
        assert not set(person.name + person.address) & set("\r\n\x00\x0b\x0c\x85\u2028\u2029")
    numbers = [row.line for row in (*parsed.invitees, *parsed.problems)]
    assert len(numbers) == len(set(numbers))
