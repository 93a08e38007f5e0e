"""Frames that a worker and a sandbox exchange: a length, then that many bytes.

A worker sends pickles, which a sandbox can trust. A sandbox sends JSON of limited size, which cannot run anything.
"""

import socket
import struct

MOST = 8 * 2**20
"""Bytes of a frame that a sandbox may send; to read JSON of this size takes some 200 MB at most."""

HEAD = struct.Struct("!I")


class BrokenFrameError(ValueError):
    """A value that no frame holds: too large, too deep, or not of the format that a sandbox sends."""


def frame(body: bytes) -> bytes:
    """Return a body with its length in front."""
    return HEAD.pack(len(body)) + body


def receive(source: socket.socket) -> bytes:
    """Wait for a whole frame from a trusted peer. Raises EOFError when the peer has closed."""
    (size,) = HEAD.unpack(_exactly(source, HEAD.size))
    return _exactly(source, size)


def _exactly(source: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = source.recv(min(size - len(parts), 2**20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def split(received: bytearray) -> bytes | None:
    """Return the body of the frame received so far, or None while it is not whole.

    Raises BrokenFrameError when it is too long, or when more than one frame came: a sandbox sends one at a time.
    """
    if len(received) < HEAD.size:
        return None
    (size,) = HEAD.unpack_from(received)
    if size > MOST or len(received) > HEAD.size + size:
        raise BrokenFrameError
    return bytes(received[HEAD.size :]) if len(received) == HEAD.size + size else None
