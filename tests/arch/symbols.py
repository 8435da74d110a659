"""Undefined symbols of the pure modules: what they would ask the outside for.

The #include check sees what a file mentions; this one sees what it really calls, through whatever header. `nm` lists
what an archive does not define itself, and nothing on the list may be a clock, entropy, a thread, a socket, a file or
the environment.
"""

import re
import subprocess
from pathlib import Path

import graph
from violations import Violation

RULES = {"symbol-pure", "symbol-archive"}

_ADVICE = {
    "a clock": "take Now (or an Instant, a WallTime) as an argument",
    "entropy": "take an Rng& as an argument",
    "a thread": "an engine is driven by one loop; threads live in runtime",
    "a socket": "push an effect; sockets live in runtime",
    "a file": "push a Persist effect; files live in runtime",
    "the environment": "settings come in through a Config",
    "output": "return an Error or push an effect; only CHECK prints",
    "termination": "use CHECK for our own invariants, a Result for everything else",
}

# Matched against the whole symbol, C names first, then demangled C++.
_BANNED = [
    ("a clock", r"clock_gettime|clock_getres|gettimeofday|time|clock|times|ftime|timespec_get|localtime(_r)?"),
    ("a clock", r"gmtime(_r)?|mktime|nanosleep|clock_nanosleep|usleep|sleep|alarm|setitimer|timer_\w+|timerfd_\w+"),
    ("a clock", r"std::chrono::(_V2::)?\w+_clock::now\(\)"),
    ("entropy", r"getrandom|getentropy|s?rand|rand_r|s?random|[delm]rand48|arc4random\w*|uuid_generate\w*"),
    ("entropy", r"randombytes\w*|sodium_init|crypto_(?!\w*_seed_)\w+_keypair|crypto_\w+_keygen|crypto_box_seal"),
    ("entropy", r"RAND_\w+|BN_rand\w*|EVP_PKEY_(keygen|generate|Q_keygen)\w*|EVP_RAND_\w+"),
    ("entropy", r"std::random_device::.*"),
    ("a thread", r"pthread_(create|join|detach|mutex_\w+|cond_\w+|rwlock_\w+|spin_\w+|barrier_\w+|sigmask|kill)"),
    ("a thread", r"thrd_\w+|mtx_\w+|v?fork|clone|exec[lv]\w*|posix_spawn\w*|system|popen|kill|raise|signal|sigaction"),
    ("a thread", r"std::(thread|jthread|condition_variable|mutex|__condvar|this_thread|future|__future_base)\b.*"),
    ("a thread", r"std::(timed_|recursive_|shared_)\w*mutex\b.*"),
    ("a socket", r"socket(pair)?|connect|bind|listen|accept4?|send(to|msg|mmsg)?|recv(from|msg|mmsg)?|shutdown"),
    ("a socket", r"[gs]etsockopt|(__)?(p?poll|p?select)(_chk)?|epoll_\w+|getaddrinfo|gethostby\w+|getifaddrs"),
    ("a socket", r"__recv\w*_chk"),
    ("a file", r"(f|fd)?open(64|at|dir)?(64)?|creat(64)?|freopen(64)?|tmpfile(64)?|mkstemp\w*|f?close|dup[23]?|pipe2?"),
    ("a file", r"(__)?p?read(v|64|_chk)?|p?write(v|64)?|(__)?fread(_chk)?|(__)?fgets(_chk)?|getline|mmap(64)?|msync"),
    ("a file", r"[fl]?stat(64)?|fstatat(64)?|statx|fsync|fdatasync|fallocate|f?truncate(64)?|unlink(at)?|rename(at)?"),
    ("a file", r"mkdir(at)?|rmdir|chmod|flock|lockf|ioctl|fcntl(64)?|syscall|dlopen|dlsym|sqlite3_\w+"),
    ("a file", r"std::basic_[io]?fstream<.*|std::basic_filebuf<.*|std::filesystem::.*"),
    ("the environment", r"(secure_)?getenv|setenv|putenv|gethostname|getpid|getuid|uname|sysconf|setlocale"),
    ("output", r"(__)?v?f?printf(_chk)?|puts|putchar|putc|fputs|fputc|fwrite|perror|stdout|stderr|stdin|syslog"),
    ("output", r"std::(cout|cerr|clog|cin)|std::ios_base::Init::.*"),
    # Not abort: the checks of the standard library in debug builds call it inline. The ban list looks for ours.
    ("termination", r"exit|_exit|_Exit|quick_exit|__assert_fail"),
]
_PATTERNS = [(kind, re.compile(rf"(?:{pattern})\Z")) for kind, pattern in _BANNED]

# CHECK lives in base: it says where it failed and stops the process.
ALLOWED = {("base", "output"), ("base", "termination")}


def banned(symbol: str) -> str | None:
    """The kind of thing that this symbol (demangled, without its version) reaches, or None."""
    bare = symbol.split("@")[0]
    for kind, pattern in _PATTERNS:
        if pattern.match(bare):
            return kind
    return None


def undefined_symbols(archive: Path) -> list[tuple[str, str]]:
    """(object, symbol) of everything that an object of the archive expects from elsewhere, weak ones included."""
    output = subprocess.run(
        ["nm", "--undefined-only", "--demangle", "--print-file-name", str(archive)],
        check=True, capture_output=True, text=True, timeout=120,
    ).stdout
    found = []
    for line in output.splitlines():
        match = re.match(r"(?P<where>.*?):\s+[Uwv] (?P<symbol>.*)", line)
        if match:
            found.append((match["where"].split(":")[-1], match["symbol"]))
    return found


def check_archive(module: str, archive: Path) -> list[Violation]:
    found = []
    for member, symbol in undefined_symbols(archive):
        kind = banned(symbol)
        if kind and (module, kind) not in ALLOWED:
            advice = f"{member} calls {symbol}, which is {kind}: {_ADVICE[kind]}"
            found.append(Violation(f"src/{module}", 0, "symbol-pure", advice))
    return found


def check(root: Path, build: Path) -> list[Violation]:
    found = []
    for module in graph.load(root):
        if not module.pure or not list((root / "src" / module.name).glob("*.cpp")):
            continue
        archive = build / f"libekiden_{module.name}.a"
        if archive.exists():
            found += check_archive(module.name, archive)
        else:
            found.append(Violation(f"src/{module.name}", 0, "symbol-archive", f"{archive} has not been built"))
    return found
