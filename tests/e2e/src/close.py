"""Asks the window of this name to close, as the button of its frame does: WM_DELETE_WINDOW, by the X library itself."""

import ctypes
import sys

x = ctypes.CDLL("libX11.so.6")
for name in ("XOpenDisplay", "XDefaultRootWindow", "XInternAtom"):
    getattr(x, name).restype = ctypes.c_void_p
display = ctypes.c_void_p(x.XOpenDisplay(None))
long, window_t = ctypes.c_long, ctypes.c_ulong


class ClientMessage(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", window_t),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", long * 5),
        ("pad", long * 24),
    ]


def atom(name):
    return ctypes.c_ulong(x.XInternAtom(display, name, 0) or 0)


def children(window):
    root, parent, found, count = window_t(), window_t(), ctypes.POINTER(window_t)(), ctypes.c_uint()
    x.XQueryTree(display, window, ctypes.byref(root), ctypes.byref(parent), ctypes.byref(found), ctypes.byref(count))
    return [window_t(found[i]) for i in range(count.value)]


def title(window):
    text = ctypes.c_char_p()
    return text.value if x.XFetchName(display, window, ctypes.byref(text)) else None


wanted = sys.argv[1].encode()
for window in children(window_t(x.XDefaultRootWindow(display))):
    if title(window) == wanted:
        message = ClientMessage(type=33, display=display, window=window, format=32)
        message.message_type = atom(b"WM_PROTOCOLS")
        message.data[0] = atom(b"WM_DELETE_WINDOW").value
        x.XSendEvent(display, window, 0, ctypes.c_long(0), ctypes.byref(message))
        x.XFlush(display)
        sys.exit(0)
sys.exit(f"no window {sys.argv[1]}")
