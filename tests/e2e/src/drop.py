"""Drops files on the window of this name, as a file manager does: XDND 5, by the X library itself.

https://freedesktop.org/wiki/Specifications/XDND/
"""

import ctypes
import pathlib
import sys

x = ctypes.CDLL("libX11.so.6")
for name in ("XOpenDisplay", "XDefaultRootWindow", "XInternAtom", "XCreateSimpleWindow"):
    getattr(x, name).restype = ctypes.c_void_p
display = ctypes.c_void_p(x.XOpenDisplay(None))
long, window_t, atom_t = ctypes.c_long, ctypes.c_ulong, ctypes.c_ulong
SELECTION_REQUEST, SELECTION_NOTIFY, CLIENT_MESSAGE = 30, 31, 33


class Head(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
    ]


class ClientMessage(Head):
    _fields_ = [("window", window_t), ("message_type", atom_t), ("format", ctypes.c_int), ("data", long * 5)]


class Request(Head):
    _fields_ = [(n, window_t) for n in ("owner", "requestor", "selection", "target", "property", "time")]


class Notify(Head):
    _fields_ = [(n, window_t) for n in ("requestor", "selection", "target", "property", "time")]


class Event(ctypes.Union):
    _fields_ = [
        ("type", ctypes.c_int),
        ("message", ClientMessage),
        ("request", Request),
        ("notify", Notify),
        ("pad", long * 24),
    ]


def atom(name):
    return atom_t(x.XInternAtom(display, name, 0) or 0)


def children(window):
    root, parent, found, count = window_t(), window_t(), ctypes.POINTER(window_t)(), ctypes.c_uint()
    x.XQueryTree(display, window, ctypes.byref(root), ctypes.byref(parent), ctypes.byref(found), ctypes.byref(count))
    return [window_t(found[i]) for i in range(count.value)]


def title(window):
    text = ctypes.c_char_p()
    return text.value if x.XFetchName(display, window, ctypes.byref(text)) else None


root = window_t(x.XDefaultRootWindow(display))
target = next((w for w in children(root) if title(w) == sys.argv[1].encode()), None)
if target is None:
    sys.exit(f"no window {sys.argv[1]}")
files = "".join(f"{pathlib.Path(path).as_uri()}\r\n" for path in sys.argv[2:]).encode()
zero = ctypes.c_ulong(0)
source = window_t(x.XCreateSimpleWindow(display, root, 0, 0, 8, 8, 0, zero, zero))
SELECTION, LIST, COPY = atom(b"XdndSelection"), atom(b"text/uri-list"), atom(b"XdndActionCopy")
x.XSetSelectionOwner(display, SELECTION, source, zero)


def send(kind, *data):
    event = Event()
    event.message.type, event.message.display, event.message.window = CLIENT_MESSAGE, display, target
    event.message.message_type, event.message.format = atom(kind), 32
    for place, word in enumerate((source.value, *data)):
        event.message.data[place] = word
    x.XSendEvent(display, target, 0, long(0), ctypes.byref(event))
    x.XFlush(display)


def answer(request):
    """Hands the list over, and nothing else."""
    given = request.property if request.target == LIST.value else 0
    if given:
        x.XChangeProperty(display, window_t(request.requestor), atom_t(given), LIST, 8, 0, files, len(files))
    event = Event()
    event.notify.type, event.notify.display, event.notify.requestor = SELECTION_NOTIFY, display, request.requestor
    event.notify.selection, event.notify.target = request.selection, request.target
    event.notify.property, event.notify.time = given, request.time
    x.XSendEvent(display, window_t(request.requestor), 0, long(0), ctypes.byref(event))
    x.XFlush(display)


send(b"XdndEnter", 5 << 24, LIST.value, 0, 0)
send(b"XdndPosition", 0, (300 << 16) | 300, 0, COPY.value)
moves, handed, dropped = 0, False, False
event = Event()
while True:
    # Whoever started this ends it where the window does not answer.
    x.XNextEvent(display, ctypes.byref(event))
    if event.type == SELECTION_REQUEST:
        answer(event.request)
        handed = True
    elif event.type == CLIENT_MESSAGE and event.message.message_type == atom(b"XdndStatus").value:
        moves += 1
        if handed and moves > 3 and not dropped:
            send(b"XdndDrop", 0, 0, 0, 0)
            dropped = True
        elif not dropped:
            send(b"XdndPosition", 0, ((300 + moves) << 16) | 300, 0, COPY.value)
    elif event.type == CLIENT_MESSAGE and event.message.message_type == atom(b"XdndFinished").value:
        sys.exit(0)
