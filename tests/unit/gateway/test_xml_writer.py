"""The bytes of XML: the original's shape, whatever is written."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from deltacloud_gateway.representations.xml import Element, document, name_of


def test_attributes_are_sorted_in_single_quotes_and_left_out_when_unknown() -> None:
    assert document(Element("x", {"b": "2", "a": 1, "c": None}), prolog=False) == b"<x a='1' b='2'></x>\n"


def test_the_prolog_stands_on_a_line_of_its_own() -> None:
    assert document(Element("x"), prolog=True) == b"<?xml version='1.0' encoding='utf-8' ?>\n<x></x>\n"


def test_children_stand_on_lines_of_their_own_and_a_void_element_closes_itself() -> None:
    root = Element("list", children=[Element("link", {"rel": "a"}, layout="void"), Element("name", text="n")])

    assert document(root, prolog=False) == b"<list>\n  <link rel='a' />\n  <name>n</name>\n</list>\n"


def test_a_block_keeps_its_break_when_it_is_empty() -> None:
    assert document(Element("list", layout="block"), prolog=False) == b"<list>\n</list>\n"


def test_inline_children_stand_right_between_the_tags() -> None:
    root = Element("box", children=[Element("a", text="1"), Element("b")], layout="inline")

    assert document(root, prolog=False) == b"<box><a>1</a>\n<b></b></box>\n"


def test_markup_in_text_and_attributes_is_escaped() -> None:
    root = Element("x", {"a": "'<&>\"\n"}, text="<&>]]>")

    assert document(root, prolog=False) == b"<x a='&#39;&lt;&amp;&gt;&quot;&#10;'>&lt;&amp;&gt;]]&gt;</x>\n"


def test_an_end_mark_inside_cdata_is_split_over_two_sections() -> None:
    assert document(Element("x", text="a]]>b", cdata=True), prolog=False) == (b"<x><![CDATA[a]]]]><![CDATA[>b]]></x>\n")


def test_a_measured_quantity_of_any_name_is_an_element() -> None:
    assert [name_of(text) for text in ("cpuUtilization", "disk read/s", "9lives", "")] == [
        "cpuUtilization",
        "disk_read_s",
        "_9lives",
        "_",
    ]


@given(st.text(), st.text(), st.text())
def test_whatever_text_is_written_can_be_read_again(attribute: str, text: str, cdata: str) -> None:
    root = Element("x", {"a": attribute}, children=[Element("t", text=text), Element("c", text=cdata, cdata=True)])

    read = etree.fromstring(document(root, prolog=True))

    assert read.get("a") == _legal(attribute)
    assert (read.findtext("t") or "") == _legal(text)
    assert (read.findtext("c") or "") == _legal(cdata).replace("\r\n", "\n").replace("\r", "\n")


def _legal(text: str) -> str:
    return "".join(each if etree_allows(each) else "\ufffd" for each in text)


def etree_allows(character: str) -> bool:
    code = ord(character)
    return code in {0x9, 0xA, 0xD} or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
