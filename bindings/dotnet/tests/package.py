"""Looks into the package that pack.py has built: `package.py PACKAGE FOLDER` checks it and unpacks it as NuGet would."""

import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

package, folder = sys.argv[1:]
with zipfile.ZipFile(package) as archive:
    assert archive.testzip() is None
    names = set(archive.namelist())
    expected = {"[Content_Types].xml", "_rels/.rels", "Faultbook.nuspec", "README.md", "lib/netstandard2.0/Faultbook.dll",
                "lib/netstandard2.0/Faultbook.xml", "runtimes/linux-x64/native/libfaultbook.so"}
    assert names == expected, names ^ expected
    metadata = ElementTree.fromstring(archive.read("Faultbook.nuspec"))[0]
    fields = {node.tag.split("}")[1]: (node.text or "").strip() for node in metadata}
    assert fields["id"] == "Faultbook" and package.endswith(f"Faultbook.{fields['version']}.nupkg"), fields
    assert all(fields[name] for name in ("authors", "description", "license", "readme")), fields
    assert fields["readme"] in names
    group = metadata.find("{*}dependencies/{*}group")
    assert group.get("targetFramework") == ".NETStandard2.0" and len(group) == 0
    types = ElementTree.fromstring(archive.read("[Content_Types].xml"))
    endings = {node.get("Extension") for node in types}
    assert {name.rsplit(".", 1)[1] for name in names - {"[Content_Types].xml"}} <= endings
    target = ElementTree.fromstring(archive.read("_rels/.rels"))[0].get("Target")
    assert target.lstrip("/") in names
    assert archive.read("lib/netstandard2.0/Faultbook.dll")[:2] == b"MZ"
    assert archive.read("runtimes/linux-x64/native/libfaultbook.so")[:4] == b"\x7fELF"
    documented = ElementTree.fromstring(archive.read("lib/netstandard2.0/Faultbook.xml"))
    members = {node.get("name"): node for node in documented.iter("member")}
    for member in ("T:Faultbook.FaultbookEngine", "T:Faultbook.FaultbookClient", "T:Faultbook.IFaultbook", "P:Faultbook.Decision.Code"):
        assert members[member].find("summary").text.strip(), member
    for name in ("lib/netstandard2.0/Faultbook.dll", "runtimes/linux-x64/native/libfaultbook.so"):
        (Path(folder) / Path(name).name).write_bytes(archive.read(name))
print(f"{package}: {len(names)} parts, as they should be")
