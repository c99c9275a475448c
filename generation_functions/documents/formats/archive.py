"""Opening zip files and XML that may have been made to do harm."""

import posixpath
import zipfile
import zlib
from pathlib import Path

from lxml import etree

MOST_MEMBERS = 20_000
MOST_BYTES = 1 << 30  # unpacked, all members together
MOST_MEMBER_BYTES = 200 << 20  # unpacked, one part that is read
MOST_RATIO = 150  # of unpacked to packed; prose reaches 10, tables of blanks 60
UNSUSPICIOUS_BYTES = 20 << 20  # below this no ratio is harmful

_OLE = b"\xd0\xcf\x11\xe0"  # what Office wraps a locked file in
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError)


class Archive:
    """A zip file whose sizes and names were looked at before anything is unpacked."""

    def __init__(self, file: Path) -> None:
        """Raise ValueError if the file is damaged, or would unpack to far too much."""
        with file.open("rb") as opened:
            if opened.read(4) == _OLE:
                raise ValueError("locked with a password, or an old .doc; save it as an open .docx")
        try:
            self._zip = zipfile.ZipFile(file)
        except _DAMAGED as error:
            raise ValueError(
                f"damaged, or not a {file.suffix} file ({error}); save it anew"
            ) from error
        members = self._zip.infolist()
        size = sum(member.file_size for member in members)
        packed = max(1, sum(member.compress_size for member in members))
        if len(members) > MOST_MEMBERS or size > MOST_BYTES:
            raise ValueError(f"would unpack to {len(members)} files, {size >> 20} MB; refused")
        if size > UNSUSPICIOUS_BYTES and size / packed > MOST_RATIO:
            raise ValueError(
                f"would unpack to {size // packed} times its size, as a zip bomb does; refused"
            )
        for name in self._zip.namelist():
            if name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/"):
                raise ValueError(f"holds a file named {name!r}, which leads out of it; refused")
        self._names = set(self._zip.namelist())

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str) -> bytes:
        """Unpack one member; ValueError if it is missing, damaged, locked or too large."""
        if name not in self._names:
            raise ValueError(f"damaged: {name} is missing in it; save it anew")
        info = self._zip.getinfo(name)
        if info.file_size > MOST_MEMBER_BYTES:
            raise ValueError(f"{name} in it would unpack to {info.file_size >> 20} MB; refused")
        if info.flag_bits & 1:
            raise ValueError("locked with a password; save it without one")
        try:
            return self._zip.read(info)
        except _DAMAGED as error:
            raise ValueError(f"damaged: {name} in it cannot be unpacked; save it anew") from error

    def read_xml(self, name: str) -> etree._Element:
        """Parse one member without entities; ValueError if it is no well-formed XML."""
        content = self.read(name)
        if b"<!ENTITY" in content.replace(b"\0", b""):
            raise ValueError(f"{name} in it declares entities; refused")
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
        )
        try:
            return etree.fromstring(content, parser)
        except etree.XMLSyntaxError as error:
            raise ValueError(f"damaged: {name} in it is not XML ({error.msg})") from error


def resolve_inside(base: str, href: str) -> str:
    """Return the member that `href`, as written in the member `base`, means."""
    name = posixpath.normpath(posixpath.join(posixpath.dirname(base), href))
    if name.startswith(("../", "/")):
        raise ValueError(f"refers to {href!r}, which leads out of it; refused")
    return name
