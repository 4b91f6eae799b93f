"""Hold a network namespace (``unshare --net``): bring its loopback up, say so, and keep it until stdin is closed.

adbd listens on every interface that it sees. In here that is one, and nobody but ``nsenter`` gets to it.
"""

import fcntl
import socket
import struct
import sys

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1  # linux/sockios.h, linux/if.h
REQUEST = "16sH22s"  # struct ifreq: name, flags, the rest of the union

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    answer = fcntl.ioctl(control, SIOCGIFFLAGS, struct.pack(REQUEST, b"lo", 0, b""))
    name, flags, rest = struct.unpack(REQUEST, answer)
    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack(REQUEST, name, flags | IFF_UP, rest))
print("up", flush=True)
sys.stdin.read()
