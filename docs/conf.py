"""How `make docs` makes a site of the Markdown in this repository: Sphinx with MyST. Each page reads well as it is.

The source folder is the repository, so that a link between two files is the same link here, in an editor and on the
site. Nothing is fetched: no fonts, no scripts, no search service.
"""

import os
import re
from pathlib import Path

HOUSE = Path(__file__).parents[1]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/**.md",
    "*_demo/README.md",
    "lariqa_train/bundled/README.md",
]

project = "lariqa"
author = "The lariqa maintainers"
copyright = "The lariqa maintainers, MIT licence"
version = release = next(
    line.split('"')[1]
    for line in (HOUSE / "lariqa" / "__init__.py").read_text().splitlines()
    if "__version__ =" in line
)

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = PAGES
WITH_PAGES = {page.split("/")[0] for page in PAGES} | {path.name for path in HOUSE.glob("*_demo")}
# Sphinx walks through every folder that is not named here, an environment of 6 GB too.
exclude_patterns = [
    *sorted(name for name in os.listdir(HOUSE) if name not in WITH_PAGES),
    "**/node_modules", "**/target", "**/.build", "**/build", "web_demo/site",
]  # fmt: skip

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4  # with the names that GitHub gives them, so that links to them work in both places
myst_links_external_new_tab = False
nitpicky = True
suppress_warnings = ["myst.header"]  # the READMEs of the apps begin as they like

html_theme = "furo"
html_title = f"lariqa {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_static/start"]  # index.html, which leads to docs/index.html
html_copy_source = False
html_use_index = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": []}
pygments_style, pygments_dark_style = "friendly", "monokai"
highlight_language = "text"
smartquotes = False  # two hyphens begin an option


def links_to_sources(app, doctree, docname):
    """A link to a file of the repository that is no page opens a copy of it, as text."""
    from docutils import nodes

    for link in doctree.findall(lambda node: node.tagname == "download_reference"):
        link["classes"] = [name for name in link["classes"] if name != "download"]
    for code in doctree.findall(nodes.literal_block):
        if code.get("language") in ("default", None):
            code["language"] = "text"


def links_to_folders(app, docname, source):
    """A link to a folder, which is good in a repository, becomes its text: a site has no page of it."""
    here = (HOUSE / docname).parent

    def plain(link):
        return link[1] if (here / link[2]).is_dir() else link[0]

    source[0] = re.sub(r"\[([^\]]+)\]\(([^)#\s:]+)\)", plain, source[0])


def setup(app):
    """What Sphinx calls first."""
    app.connect("source-read", links_to_folders)
    app.connect("doctree-resolved", links_to_sources)
