"""What pages, guides and help texts tell people to type, found and tried."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SHOWN = re.compile(r"<pre[^>]*><code>(.*?)</code></pre>", re.DOTALL)
# In running text only what is whole: `commonhold log check`, not `commonhold`.
COUNTED = "\nprint(sum(1 for _ in (rows.data.to_pylist() if hasattr(rows, 'data') else rows)))"
COMMAND = r"(?:commonhold|\.venv/bin/\w+|manage\.py|make|curl|docker|pg_dump|pg_restore) [^`<]+"
IN_MARKDOWN = re.compile(rf"`({COMMAND})`")
IN_HTML = re.compile(rf"<code>({COMMAND})</code>")


@dataclass(frozen=True)
class Snippet:
    """Something to type: `kind` is sh or python."""

    where: str
    kind: str
    text: str


def of_markdown(path: Path) -> list[Snippet]:
    """The blocks and the commands of a document."""
    where, text = path.relative_to(ROOT).as_posix(), path.read_text()
    found = [Snippet(where, kind, body) for kind, body in FENCED.findall(text)]
    rest = FENCED.sub("", text).replace("\n", " ")
    return [*found, *(Snippet(where, "sh", one) for one in IN_MARKDOWN.findall(rest))]


def of_page(where: str, page: str) -> list[Snippet]:
    """The blocks and the commands of a page."""
    blocks = [html.unescape(block).strip("\n") + "\n" for block in SHOWN.findall(page)]
    rest = SHOWN.sub("", page).replace("\n", " ")
    commands = [html.unescape(one) for one in IN_HTML.findall(rest)]
    return [
        *(Snippet(where, "python" if "import " in one else "sh", one) for one in blocks),
        *(Snippet(where, "sh", one) for one in commands),
    ]


class Desk:
    """Somebody's machine: a folder, the command, and what they put for the placeholders."""

    def __init__(self, folder: Path, replaced: Mapping[str, str], **environment: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.replaced = replaced
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.home),
            **environment,
        }

    def type(self, snippet: Snippet, left_out: Iterable[str] = ()) -> str:
        """Run a snippet, but for lines that are left out; it must succeed. Returns its output."""
        lines = [line for line in snippet.text.splitlines() if not line.startswith(tuple(left_out))]
        text = "\n".join(lines)
        for placeholder, meant in self.replaced.items():
            text = text.replace(placeholder, meant)
        if snippet.kind == "python":
            command = [sys.executable, "-c", text + COUNTED if "rows =" in text else text]
        else:
            command = ["bash", "-euo", "pipefail", "-c", text]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        told = f"{snippet.where}:\n{text}\n→ {done.returncode}\n{done.stdout}{done.stderr}"
        assert done.returncode == 0, told
        return done.stdout
