"""Compressed files as streams of what is in them; a file's first bytes tell, not its ending."""

from __future__ import annotations

import bz2
import gzip
import lzma
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, cast

from lossreport.errors import LossReportError, UnreadableLogError, reason

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STARTS = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",  # an empty one
}
_DAMAGE = (
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
    zstd.ZstdError,
)
"""What the decompressors raise over damaged, cut off or encrypted files."""


def compression_of(start: bytes) -> str | None:
    """Return how a file is compressed, by its first bytes; None if it is not."""
    return next((kind for magic, kind in STARTS.items() if start.startswith(magic)), None)


@contextmanager
def opened(path: str, kind: str | None) -> Iterator[IO[bytes]]:
    """Open a file as a stream of its content, decompressed.

    Raises
    ------
    UnreadableLogError
        It is damaged, cut off, encrypted, or a zip archive that does not hold exactly one file;
        also from reads within the context.
    """
    with ExitStack() as stack:
        try:
            yield _stream(path, kind, stack)
        except LossReportError:
            raise
        except FileNotFoundError as error:
            raise UnreadableLogError(f"{path} vanished while it was read.") from error
        except _DAMAGE as error:
            if kind is None:
                raise
            raise UnreadableLogError(
                f"{path} cannot be read: its {kind} data is cut off or damaged ({reason(error)}). "
                "Copy it anew or leave it out."
            ) from error


def _stream(path: str, kind: str | None, stack: ExitStack) -> IO[bytes]:
    if kind == "gzip":
        return cast(IO[bytes], stack.enter_context(gzip.open(path, "rb")))
    if kind == "zstd":
        return cast(IO[bytes], stack.enter_context(zstd.open(path, "rb")))
    if kind == "bzip2":
        return cast(IO[bytes], stack.enter_context(bz2.open(path, "rb")))
    if kind == "xz":
        return cast(IO[bytes], stack.enter_context(lzma.open(path, "rb")))
    if kind == "zip":
        archive = stack.enter_context(zipfile.ZipFile(path))
        return stack.enter_context(archive.open(_only_member(path, archive)))
    return stack.enter_context(open(path, "rb"))  # noqa: PTH123 - text of any name


def _only_member(path: str, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one file of an archive, apart from what macOS adds."""
    members = [
        m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")
    ]
    if len(members) != 1:
        raise UnreadableLogError(
            f"{path} is a zip archive of {len(members)} files; one can be read. Unpack it and give "
            "the files."
        )
    if members[0].flag_bits & 1:
        raise UnreadableLogError(f"{path} is an encrypted zip archive: unpack it first.")
    return members[0]
