"""Static inspection of code: the names, calls, assignments and texts that an instructor should look at.

Code is read from its syntax tree, and never run. Names are resolved through imports and assignments, and constant text
is put together from its parts, so `getattr(mlsd, "exer" + "cises")` counts as `mlsd.exercises`. Comments are ignored.
Lines that are not Python, such as shell commands, are searched word by word. The time grows linearly with the code.
"""

import ast
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from mlsd_helpers.grading.reading_code import BINDING_NODES, Bindings, is_counting, read

ANSWERS = "looks for the answers"
OTHERS = "looks for other people's work"
GRADEBOOK = "touches the gradebook"
CELLS = "changes how cells run"
CHECKS = "changes what a check relies on"
SCRIPT = "puts a script into a page"
CHANNEL = "uses a file that it never opened"
PROCESSES = "starts or ends processes"
SYSTEM = "calls the operating system directly"
OUTSIDE = "uses files outside its folder"
NETWORK = "opens a connection"
HIDES = "hides the code that it runs"
FLOODS = "makes too much text or data"

Match = tuple[str, str]
"""A kind of flag, and the line that it is about."""


def _words(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# Resolved names, as `module.name`; `()` and `[]` stand for a call and an element.
_NAMES = {
    ANSWERS: _words(
        r"^mlsd_helpers\.exercises(?!\.(?:cases|inputs|check|hint|find\(\)\.cases|requirements\.traffic)\b)",
        r"^mlsd_helpers\.__(?:path|file|loader|spec)__",
        r"^gc\.(?:get_\w+|\*)",
        r"^sys\.(?:_getframe|_current_frames|_getframemodulename|meta_path|path_hooks|path_importer_cache|modules)\b",
        r"^inspect\.(?:currentframe|stack|trace|getouterframes|getclosurevars)\b",
        r"\.(?:f_back|f_locals|f_globals|f_builtins|tb_frame|gi_frame|cr_frame|ag_frame|__subclasses__"
        r"|__closure__|cell_contents|__globals__|co_consts)\b",
    ),
    GRADEBOOK: _words(r"^nbgrader\b"),
    CELLS: _words(
        r"\.(?:ast_transformers|input_transformer\w*|input_splitter|set_custom_exc)\b",
        r"^get_ipython\(\)\.(?:events|hooks|set_hook)\b",
        r"^(?:sys|threading)\.(?:settrace\w*|setprofile\w*|monitoring|addaudithook)\b",
    ),
    SCRIPT: _words(r"(?:^|\.)(?:Javascript|display_javascript)\b"),
    CHANNEL: _words(r"^os\.closerange\b", r"^socket\.fromfd\b"),
    PROCESSES: _words(
        r"^(?:os|pty|posix)\.(?:fork|forkpty|setsid|setpgid|setpgrp|killpg|pidfd_open|tcsetpgrp|ptrace|setns|unshare)\b",
        r"^(?:resource\.)prlimit\b",
        r"^signal\.pidfd_send_signal\b",
    ),
    SYSTEM: _words(
        r"^ctypes\.(?:CDLL|PyDLL|WinDLL|OleDLL|cdll|pydll|windll|LibraryLoader|pythonapi|string_at|wstring_at|memmove"
        r"|memset|cast|py_object|PYFUNCTYPE|CFUNCTYPE|util)\b",
        r"^(?:_ctypes|cffi|sysv_ipc|posix_ipc|_posixshmem)\b|\.ctypeslib\.load_library\b|\.from_address\b",
        r"^(?:os|posix)\.(?:memfd_create|mknod|chroot|posix_spawnp?|setuid|setgid|setre[su]\w+|setxattr|removexattr|"
        r"[fl]?chown|chflags|mount|umount\w*|login_tty|eventfd)\b",
    ),
    OUTSIDE: _words(r"^site\.getusers\w+|^site\.(?:USER_\w+|ENABLE_USER_SITE)"),
    NETWORK: _words(
        r"^socket\.(?:socket|create_connection|create_server|socketpair|SocketType)\b|^_socket\b",
        r"^(?:paramiko|telnetlib|ftplib|smtplib|scapy)\b",
    ),
}  # fmt: skip

# Text: of a constant, of constants put together, or of a line that is not Python.
_TEXTS = {
    ANSWERS: _words(
        r"mlsd_helpers[./\\]+exercises(?!\.requirements\.traffic)|(?:^|/)exercises/(?:\*|\w+\.py|kit|[a-z]+/)|mlsd\.exercises\b(?!\.(?:cases|inputs|check|hint))",
        r"\b(?:BEGIN|END) (?:HIDDEN|SOLUTION|MARK SCHEME)",
        r"(?:^|[/\\])source[/\\]+(?:\*|\{|\d\d_|[^/\\]+[/\\]+[^/\\]*\.?(?:ipynb|\*))",
        r"^__(?:subclasses|globals|closure|code)__$",
    ),
    OTHERS: _words(
        r"(?:^|\s)(?:submitted|autograded|verdicts)[/\\]|[/\\](?:submitted|autograded|verdicts)(?:[/\\]|$)|(?:^|[/\\])feedback[/\\]+(?:\*|[^/\\]+[/\\]+\d\d_)"
    ),
    GRADEBOOK: _words(r"gradebook\.db|\bnbgrader\s+(?:db|autograde|export)\b|(?i:\bupdate\s+grade\s+set\b)"),
    CHANNEL: _words(r"/proc/(?:self|\{|\d|\*)[^\s]{0,60}?/fd\b|/dev/fd/|>&\s*[3-9]"),
    PROCESSES: _words(
        r"/proc/(?:\{|\d|\*|\?|\[|self/(?:mem|environ|maps|root|cwd|pagemap|task|oom))|^/proc/?$|/sys/fs/cgroup",
        r"\bkill\s+(?:-\w+\s+){0,3}(?:-1\b|1\b|[^\n;|&]{0,40}PPID)|\b(?:pkill|killall|nohup|setsid|prlimit|unshare|nsenter|ipcs|ipcmk)\s",
        r"\(\)\s*\{[^\n}|]{0,40}\|[^\n}]{0,40}&",
    ),
    OUTSIDE: _words(
        r"/etc/(?:passwd|shadow|sudoers|ssh|cron)|(?:^|/)\.(?:ssh|aws|kube|gnupg|netrc|bashrc|profile|bash_history|jupyter)\b",
        r"profile_default/startup|\b(?:sitecustomize|usercustomize)\b|/etc/cron",
        r"\b(?:chmod|chown|chattr)\s[^\n]{0,80}\s(?:/|~|\.\.)",
    ),
    SYSTEM: _words(r"/dev/(?:mem|kmem|vsock|kvm)|\bptrace\b|LD_PRELOAD"),
}  # fmt: skip

_PAGE = re.compile(
    r"</?(?:script|iframe|frame|embed|applet)\b"
    r"|<(?:object|base|meta|form|link)\s[^<>]*="
    r"|<[a-z][^<>]*[\s/\"']on[a-z]{3,25}\s*="
    r"|\ssrcdoc\s*="
    r"|(?:=\s*(?:[\"']\s*)?|\]\(\s*|\]:\s*|<)(?:java|vb)script\s*:|data\s*:\s*text/html"
    r"|application/(?:javascript|vnd\.jupyter\.es6)",
    re.IGNORECASE,
)

# Names that a check or the judge may call: assigning to one changes the check.
_JUDGED_BY = re.compile(
    r"^(?:builtins|math|cmath|statistics|numpy(?:\.(?:testing|linalg))?|json(?:\.\w+)?|operator|functools|itertools|copy|inspect"
    r"|ast|pickle|struct|os|io|IPython(?:\.\w+)*|mlsd_helpers(?:\.\w+)*)\.\w+$|^mlsd(?:$|\.)"
)
_HARMLESS = re.compile(
    r"^(?:builtins\.(?:print|input|display|_)|numpy\.(?:float|int|bool|object|str|complex|long|unicode|Inf|NaN|product))$"
)
_RUNS_CELLS = re.compile(
    r"\.(?:run_cell\w*|run_ast_nodes|run_code|displayhook|display_pub|display_formatter|showtraceback|user_ns"
    r"|user_global_ns)\b|^sys\.(?:displayhook|excepthook|meta_path|path_hooks|modules)\b"
)
_COMPARES = {f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "float", "index", "int")}
_RUN = re.compile(
    r"^(?:builtins\.)?(?:exec|eval|compile|execfile)$|^os\.(?:system|popen|exec\w+|spawn\w+)$|^subprocess\.\w+$"
    r"|^timeit\.\w+$|\.(?:system|system_raw|system_piped|getoutput|getoutput_raw|run_cell|run_line_magic|run_cell_magic"
    r"|ex|ev|run_code|magic)$|^asyncio\.create_subprocess_\w+$"
)
_UPDATES = re.compile(r"^globals\(\)\.update$|\.(?:user_ns\.update|push)$")
_MOCKS = re.compile(r"(?:^|\.)patch(?:\.\w+)?$")
_SHOWS = re.compile(
    r"(?:^|\.)(?:print|display|HTML|Markdown|Latex|SVG|Pretty|JSON|Javascript|write|writelines)$"
)
_ALLOCATES = re.compile(
    r"^(?:builtins\.)?(?:bytearray|bytes)$|^numpy\.(?:zeros|ones|empty|full|arange|random\.\w+)$|^mmap\.mmap$"
)
_BY_NUMBER = re.compile(
    r"^os\.(?:write|writev|pwrite|read|readv|pread|close|dup|dup2|fdopen|sendfile|splice|set_inheritable|set_blocking"
    r"|ftruncate|lseek|fchmod|fchown|lockf|isatty|fstat)$|^(?:builtins\.|io\.)?(?:open|FileIO)$|^fcntl\.\w+$"
)
_CHANGES_A_PATH = re.compile(
    r"^os\.(?:l?chmod|utime|remove|unlink|rmdir|removedirs|rename|replace|symlink|link|truncate|mkfifo)$"
    r"|^shutil\.(?:rmtree|move|chown|copy\w*)$"
    r"|^pathlib\.(?:Path|PosixPath)\(\)\.(?:chmod|lchmod|unlink|rmdir|write_\w+|symlink_to|hardlink_to|touch|rename|replace)$"
)
_ELSEWHERE = re.compile(r"^(?:/(?!dev/null$|dev/std)|~|\.\./\.\.)")
_ANOTHERS = re.compile(r"^(?:/root|/home/[^/]+)/")

_TEMPORARY = ("/tmp/", "/var/tmp/")  # noqa: S108 - of students

_WORD = re.compile(r"[A-Za-z_]\w*(?:\s*\.\s*\w+)*")
_LARGE_SHOWN, _LARGE_TEXT, _LARGE = 5e4, 2e7, 2.0**30
_MANY = 100  # processes


def in_markup(text: str) -> Iterator[Match]:
    """Yield the first place where text, as part of a page, would run a script or embed another page."""
    for form in dict.fromkeys((text, html.unescape(re.sub(r"[\t\r\0]", "", text)))):
        if match := _PAGE.search(form):
            start = max(form.rfind("\n", 0, match.start()) + 1, match.start() - 40)
            yield SCRIPT, form[start : match.start() + 120].split("\n", 1)[0]
            return


def in_code(cells: Sequence[str]) -> Iterator[Match]:
    """Yield the matches in cells of code, in order; names that one cell imports are known in the next."""
    known = [read(cell) for cell in cells]
    bindings = Bindings()
    trees = [cell.tree for cell in known if cell.tree is not None]
    binding = [node for tree in trees for node in ast.walk(tree) if isinstance(node, BINDING_NODES)]
    for node in binding * 2:  # a name may refer to one that is bound later
        bindings.add(node)
    for cell in known:
        if cell.tree is not None:
            yield from _Inspector(bindings, cell.lines).inspect(cell.tree)
        for line in cell.others:
            yield from _in_words(line, line, bindings)


# ---- cells ------------------------------------------------------------------------------------------


def _in_words(text: str, line: str, bindings: Bindings) -> Iterator[Match]:
    """Inspect text that is not Python, word by word."""
    yield from _in_text(text, line)
    for word in _WORD.findall(text[:20_000]):
        head, _, rest = re.sub(r"\s", "", word).partition(".")
        name = bindings.names.get(head, head)
        yield from _named(f"{name}.{rest}" if rest else name, line)


def _in_text(text: str, line: str) -> Iterator[Match]:
    for kind, pattern in _TEXTS.items():
        if pattern.search(text):
            yield kind, line
    yield from ((kind, line if len(line) < 80 else where) for kind, where in in_markup(text))


def _named(name: str, line: str) -> Iterator[Match]:
    for kind, pattern in _NAMES.items():
        if pattern.search(name):
            yield kind, line


# ---- a tree ------------------------------------------------------------------------------------------


@dataclass
class _Inspector:
    """Inspects each node of one cell."""

    known: Bindings
    lines: Sequence[str]
    _bytes: dict[int, bytes] = field(default_factory=dict)

    def inspect(self, tree: ast.AST) -> Iterator[Match]:
        """Yield the matches in the order of the lines."""
        waiting: list[tuple[ast.AST, ast.AST | None, bool]] = [(tree, None, False)]
        found: list[tuple[int, Match]] = []
        while waiting:
            node, parent, endless = waiting.pop()
            place = getattr(node, "lineno", 0)
            found += ((place, match) for match in self._at(node, parent, endless=endless))
            within = endless or self._is_endless(node)
            waiting += ((child, node, within) for child in ast.iter_child_nodes(node))
        yield from (match for _, match in sorted(found, key=lambda one: one[0]))

    def _line(self, node: ast.AST) -> str:
        """Return the line of a node, or the part around the node where the line is long."""
        number, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        line = self.lines[number - 1] if 0 < number <= len(self.lines) else ""
        if column < 80:
            return line
        if number not in self._bytes:
            self._bytes[number] = line.encode()
        return f"… {self._bytes[number][column - 40 : column + 200].decode(errors='replace')}"

    def _at(self, node: ast.AST, parent: ast.AST | None, *, endless: bool) -> Iterator[Match]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from self._import(node)
        elif isinstance(node, ast.ClassDef):
            yield from self._class(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "mlsd":
            yield CHECKS, self._line(node)
        elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            yield from self._name(node, parent)
        elif isinstance(node, ast.Call):
            if not isinstance(parent, ast.Attribute):
                yield from _named(self.known.name(node.func).removeprefix("builtins."), self._line(node))
            yield from self._call(node, endless=endless)
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.Call | ast.Subscript) and not (
            isinstance(node, ast.Constant | ast.BinOp) and _is_part_of_text(parent)
        ):
            yield from self._text(node)
        if isinstance(node, ast.BinOp) and self._size(node) >= _LARGE_TEXT:
            yield FLOODS, self._line(node)

    def _is_endless(self, node: ast.AST) -> bool:
        if isinstance(node, ast.While):
            return isinstance(node.test, ast.Constant) and bool(node.test.value)
        if isinstance(node, ast.For) and is_counting(node.iter) and isinstance(node.iter, ast.Call):
            return any((self.known.number(one) or 0) >= _MANY for one in node.iter.args)
        return False

    # -- kinds of nodes

    def _import(self, node: ast.Import | ast.ImportFrom) -> Iterator[Match]:
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        for one in node.names:
            name = f"{module}.{one.name}" if module else one.name
            yield from _named(name, self._line(node))
            if (one.asname or one.name) == "mlsd" and name != "mlsd_helpers":
                yield CHECKS, self._line(node)

    def _name(
        self, node: ast.Name | ast.Attribute | ast.Subscript, parent: ast.AST | None
    ) -> Iterator[Match]:
        line = self._line(node)
        if not isinstance(node.ctx, ast.Load):
            yield from self._changed(node, parent, line)
        if isinstance(node, ast.Name):  # what it refers to was inspected where it was bound
            for star in self.known.stars:
                yield from _named(f"{star}.{node.id}", line)
        elif not isinstance(parent, ast.Attribute) and node is not getattr(parent, "func", None):
            name = self.known.name(node)
            asks_where = name == "sys.modules" and isinstance(parent, ast.Compare)
            if not asks_where:  # a comparison only asks in what environment the code runs
                yield from _named(name, line)

    def _changed(
        self, node: ast.Name | ast.Attribute | ast.Subscript, parent: ast.AST | None, line: str
    ) -> Iterator[Match]:
        if isinstance(node, ast.Name):
            package = {"mlsd", "mlsd_helpers"}
            own = isinstance(parent, ast.Assign) and self.known.name(parent.value) in package
            if node.id == "mlsd" and not own:
                yield CHECKS, line
            return
        name = self.known.name(node)
        if _RUNS_CELLS.search(name):
            yield CELLS, line
        element = isinstance(node, ast.Subscript) and name.endswith("[]")
        if not element and _JUDGED_BY.search(name) and not _HARMLESS.search(name):
            yield CHECKS, line

    def _class(self, node: ast.ClassDef) -> Iterator[Match]:
        if node.name == "mlsd":
            yield CHECKS, self._line(node)
        names: list[str]
        body: ast.AST
        for item in node.body:
            if isinstance(item, ast.Assign):
                names, body = [one.id for one in item.targets if isinstance(one, ast.Name)], item.value
            elif isinstance(item, ast.FunctionDef):
                names, body = [item.name], item
            else:
                continue
            always_equal = _COMPARES.intersection(names) and _is_constant_comparison(body)
            if always_equal or {"__class__", "__instancecheck__", "__subclasscheck__"}.intersection(names):
                yield CHECKS, self._line(item)
            if {"__reduce__", "__reduce_ex__", "__setstate__"}.intersection(names):
                nodes = (one for one in ast.walk(body) if isinstance(one, ast.Attribute | ast.Name))
                if any(
                    _RUN.search(name) or name.startswith(("os.", "builtins."))
                    for name in map(self.known.name, nodes)
                ):
                    yield HIDES, self._line(item)

    def _call(self, node: ast.Call, *, endless: bool) -> Iterator[Match]:
        line, function = self._line(node), self.known.name(node.func).removeprefix("builtins.")
        yield from self._by_name(node, function, line)
        if endless and re.search(r"^subprocess\.Popen$|(?:^|\.)Process$", function):
            yield PROCESSES, line
        if _SHOWS.search(function) and any(self._size(one) >= _LARGE_SHOWN for one in _given(node)):
            yield FLOODS, line
        if node.args:
            yield from self._by_first(node, node.args[0], function, line)

    def _by_first(self, node: ast.Call, first: ast.AST, function: str, line: str) -> Iterator[Match]:
        """Inspect calls by their first argument: a file, a process, a path, a size."""
        number = self.known.number(first)
        counted = isinstance(first, ast.Name) and first.id in self.known.counted
        if _BY_NUMBER.search(function) and (counted or (number is not None and 3 <= number < 4_096)):
            yield CHANNEL, line
        others = counted or (number is not None and number < 2) or self.known.name(first) == "os.getppid()"
        if function == "os.kill" and others:
            yield PROCESSES, line
        if _ALLOCATES.search(function) and (number or 0) >= _LARGE:
            yield FLOODS, line
        if self._elsewhere(node, function):
            yield OUTSIDE, line

    def _elsewhere(self, node: ast.Call, function: str) -> bool:
        """Tell whether a call changes a file outside its folder, or opens one of another user."""
        given = [self.known.text(one) or "" for one in node.args[:2]]
        if function.removeprefix("io.") == "open":
            writes = set(given[1] if len(given) > 1 else "") & set("wax+")
            changes = writes and not given[0].startswith(_TEMPORARY) and _ELSEWHERE.search(given[0])
            return bool(changes or _ANOTHERS.search(given[0]))
        if not _CHANGES_A_PATH.search(function):
            return False
        # The path of Path("/x").chmod(0)
        on = self.known.text(node.func.value) if isinstance(node.func, ast.Attribute) else None
        locked = function.endswith("chmod") and len(node.args) > 1 and self.known.number(node.args[1]) == 0
        return locked or any(_ELSEWHERE.search(path) for path in (*given, on or ""))

    def _by_name(self, node: ast.Call, function: str, line: str) -> Iterator[Match]:
        """Inspect calls by the name of what they read, change or run."""
        what = self.known.name(node)
        if function in {"getattr", "hasattr", "inspect.getattr_static"} or "attrgetter()" in function:
            yield from _named(what, line)
            sensitive = re.match(r"(?:os|sys|gc|mlsd_helpers|builtins|ctypes)\.\?$", what)
            if sensitive and self._built(node):
                yield HIDES, line
        elif "import" in function and "(" not in what:
            yield from _named(what, line)
            if what == "?" and self._built(node):
                yield HIDES, line
        replaced = self._replaced(node, function, what)
        if _JUDGED_BY.search(replaced) and not _HARMLESS.search(replaced):
            yield CHECKS, line
        if _RUNS_CELLS.search(replaced):
            yield CELLS, line
        keywords = {one.arg for one in node.keywords}
        if function == "socket.socket" and "fileno" in keywords:
            yield CHANNEL, line
        if keywords & {"start_new_session", "preexec_fn"}:
            yield PROCESSES, line
        if _RUN.search(function):
            yield from self._run(node, function, line)

    def _replaced(self, node: ast.Call, function: str, what: str) -> str:
        """Return the name that a call rebinds, or nothing."""
        if function in {"setattr", "delattr"}:
            return what
        if function.endswith(".__dict__.update"):
            return function.replace("__dict__.update", "x")
        if _UPDATES.search(function):
            return "mlsd" if any(one.arg == "mlsd" for one in node.keywords) else ""
        if _MOCKS.search(function) and node.args:
            return self.known.text(node.args[0]) or f"{self.known.name(node.args[0])}.x"
        return ""

    def _built(self, node: ast.Call) -> bool:
        """Tell whether a name is computed in a way that could not be resolved."""
        return any(isinstance(one, ast.BinOp | ast.Call) or self.known.decoded(one) for one in node.args[-1:])

    def _run(self, node: ast.Call, function: str, line: str) -> Iterator[Match]:
        if re.search(r"exec|eval|compile", function) and any(map(self.known.decoded, node.args[:1])):
            yield HIDES, line
        parts = (one.elts if isinstance(one, ast.List | ast.Tuple) else [one] for one in node.args[:3])
        text = " ".join(filter(None, map(self.known.text, chain.from_iterable(parts))))
        yield from _in_words(text, line, self.known)
        if re.search(r"_magic$", function) and re.search(r"\b(?:javascript|js)\b", text):
            yield SCRIPT, line

    def _text(self, node: ast.AST) -> Iterator[Match]:
        text = self.known.text(node)
        if text:
            self.known.left -= len(text)
            if self.known.left < 0 and not isinstance(node, ast.Constant):
                return
            line = self._line(node)
            yield from _in_text(text, line)
            if isinstance(node, ast.Call | ast.Subscript) and len(text) > 20:  # decoded text may be code
                yield from _in_words(text, line, self.known)

    def _size(self, node: ast.AST) -> float:
        """Return the length of a repetition such as `"x" * 10**6`, or 0 for anything else."""
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            return 0.0
        for what, times in ((node.left, node.right), (node.right, node.left)):
            number = self.known.number(times)
            if number is not None and (text := self.known.text(what)) is not None:
                return number * len(text)
            if number is not None and isinstance(what, ast.List | ast.Tuple):
                return number * len(what.elts) / 10  # lists of data are usually longer than text
            if (
                isinstance(what, ast.Call)
                and number is not None
                and what.args
                and _ALLOCATES.search(self.known.name(what.func))
            ):
                return number
        return 0.0


def _is_part_of_text(parent: ast.AST | None) -> bool:
    """Tell whether a node is part of a longer text, which is inspected as a whole."""
    if isinstance(parent, ast.BinOp):
        return isinstance(parent.op, ast.Add | ast.Mod | ast.Div)
    return isinstance(parent, ast.JoinedStr | ast.FormattedValue)


def _given(node: ast.Call) -> Iterator[ast.AST]:
    """Yield the arguments of a call, and those of calls among them."""
    for one in (*node.args, *(keyword.value for keyword in node.keywords)):
        yield one
        if isinstance(one, ast.Call):
            yield from one.args


def _is_constant_comparison(body: ast.AST) -> bool:
    """Tell whether a comparison returns the same true value for every argument, or never returns."""
    if isinstance(body, ast.Lambda):
        return isinstance(body.body, ast.Constant) and body.body.value not in {False, None}
    if not isinstance(body, ast.FunctionDef):
        return False
    returned = [one for one in ast.walk(body) if isinstance(one, ast.Return)]
    if not returned:
        kinds = {type(one) for one in ast.walk(body)}
        return ast.While in kinds and ast.Raise not in kinds
    value = returned[0].value
    return len(returned) == 1 and isinstance(value, ast.Constant) and value.value not in {False, None}
