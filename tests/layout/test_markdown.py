"""The part of Markdown that instructions may use; everything else is shown as it was typed."""

import pytest

from readerstudy.layout.markdown import markdown


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("One.\nTwo.", "<p>One.<br>Two.</p>"),
        ("One.\n\n\nTwo.", "<p>One.</p>\n<p>Two.</p>"),
        ("**Never** go *back*.", "<p><strong>Never</strong> go <em>back</em>.</p>"),
        ("2 * 3 * 4 and ** no **", "<p>2 * 3 * 4 and ** no **</p>"),
        ("- one\n- **two**", "<ul><li>one</li><li><strong>two</strong></li></ul>"),
        ("First:\n1. look\n2) decide", "<p>First:</p>\n<ol><li>look</li><li>decide</li></ol>"),
        ("## Now\nRead.", "<h2>Now</h2>\n<p>Read.</p>"),
        ("## One\n## Two", "<h2>One</h2>\n<h2>Two</h2>"),
        ("<b>&amp;</b> [x](http://x)", "<p>&lt;b&gt;&amp;amp;&lt;/b&gt; [x](http://x)</p>"),
        (
            '**<img src="x" onerror="y">**',
            "<p><strong>&lt;img src=&quot;x&quot; onerror=&quot;y&quot;&gt;</strong></p>",
        ),
        ("seed: `1` and `", "<p>seed: <code>1</code> and `</p>"),
        ("a\r\n\r\nb", "<p>a</p>\n<p>b</p>"),
    ],
)
def test_markdown_becomes_html(text, html):
    assert markdown(text) == html


def test_a_long_text_of_stars_is_rendered_at_once():
    assert markdown("*" * 4000).startswith("<p>")
