"""The page on which a person reads the interface description: one file, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:62rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid}h3{margin:1.5rem 0 .3rem}
code,pre{font:.9em/1.45 ui-monospace,monospace}pre{overflow:auto;padding:.6rem;border:1px solid}
table{border-collapse:collapse;width:100%}td,th{text-align:start;vertical-align:top;
padding:.2rem .6rem .2rem 0;border-bottom:1px solid #8886}
nav ul{columns:2}summary{cursor:pointer}
"""


def page_policy() -> str:
    """Return the content security policy under which the page's own style works, and no more."""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )


def page(described: Mapping[str, Any]) -> str:
    """Return the HTML page of an interface description."""
    info = described["info"]
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{_text(info['description'])}</p>",
        '<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>',
        *_contents(described),
        *_operations(described),
        *_schemas(described),
        "</body></html>\n",
    ]
    return "\n".join(parts)


def _listed(described: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _contents(described: Mapping[str, Any]) -> Iterator[str]:
    yield "<nav aria-label=Operations><ul>"
    for path, method, operation in _listed(described):
        yield (
            f'<li><a href="#{operation["operationId"]}"><code>{method.upper()} '
            f"{escape(path)}</code></a></li>"
        )
    yield "</ul></nav>"


def _operations(described: Mapping[str, Any]) -> Iterator[str]:
    for tag in described["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2>"
        for path, method, operation in _listed(described):
            if tag["name"] in operation["tags"]:
                yield from _operation(path, method, operation)


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{operation["operationId"]}">{escape(operation["summary"])}</h3>'
    yield f"<p><code>{method.upper()} {escape(path)}</code></p>"
    yield f"<p>{_text(operation['description'])}</p>"
    if operation["parameters"]:
        yield "<table><thead><tr><th>parameter<th>in<th>form<th>meaning</tr></thead><tbody>"
        for each in operation["parameters"]:
            name = escape(each["name"]) + (" *" if each["required"] else "")
            yield (
                f"<tr><td><code>{name}</code><td>{each['in']}<td>{_form(each['schema'])}"
                f"<td>{_text(each.get('description', ''))}</tr>"
            )
        yield "</tbody></table>"
    body = operation.get("requestBody", {"content": {}})["content"]
    for media, content in body.items():
        yield f"<p>Body <code>{escape(media)}</code> {_form(content.get('schema', {}))}</p>"
    yield "<table><thead><tr><th>status<th>meaning<th>body</tr></thead><tbody>"
    for status, answer in operation["responses"].items():
        forms = [_form(each.get("schema", {})) for each in answer.get("content", {}).values()]
        yield f"<tr><td>{status}<td>{_text(answer['description'])}<td>{', '.join(forms)}</tr>"
    yield "</tbody></table>"


def _schemas(described: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Forms</h2>"
    for name, schema in sorted(described["components"]["schemas"].items()):
        text = json.dumps(schema, ensure_ascii=False, indent=2)
        yield (
            f'<details id="form-{escape(name)}"><summary><code>{escape(name)}</code> '
            f"{_text(schema.get('description', ''))}</summary><pre>{escape(text)}</pre></details>"
        )


def _form(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[1])
        return f'<a href="#form-{name}">{name}</a>'
    if "anyOf" in schema:
        forms = [_form(each) for each in schema["anyOf"] if each.get("type") != "null"]
        return " or ".join(forms)
    if "enum" in schema:
        return " ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    said = [str(schema[key]) for key in ("type", "format", "pattern") if key in schema]
    return f"<code>{escape(' '.join(said))}</code>" if said else ""


def _text(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)).replace("\n\n", "<br>")
