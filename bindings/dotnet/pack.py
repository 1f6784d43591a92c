"""Builds the NuGet package as the SDK would lay it out, without the SDK: a zip with the assembly for netstandard2.0, its
documentation, and the native library of each platform.

    python3 bindings/dotnet/pack.py OUTPUT-FOLDER Faultbook.dll Faultbook.xml RID=LIBRARY…

for example `linux-x64=target/release/libfaultbook.so`. Name, version and so on are those of Faultbook.csproj. Equal files
give equal bytes.
"""

import re
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
# The native library's file name by the system that a runtime identifier starts with.
NAMES = {"linux": "libfaultbook.so", "osx": "libfaultbook.dylib", "win": "faultbook.dll"}

NUSPEC = """<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
  <metadata>
    <id>{PackageId}</id>
    <version>{Version}</version>
    <authors>{Authors}</authors>
    <license type="expression">{PackageLicenseExpression}</license>
    <readme>{PackageReadmeFile}</readme>
    <description>{Description}</description>
    <tags>{PackageTags}</tags>
    <dependencies>
      <group targetFramework=".NETStandard2.0" />
    </dependencies>
  </metadata>
</package>
"""
TYPES = """<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml" />
{}
</Types>
"""
RELATIONS = """<?xml version="1.0" encoding="utf-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
  <Relationship Type="http://schemas.microsoft.com/packaging/2010/07/manifest" Target="/{}.nuspec" Id="R0" />
</Relationships>
"""


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    output, assembly, documentation = map(Path, sys.argv[1:4])
    project = {node.tag: node.text for node in ElementTree.parse(HERE / "Faultbook.csproj").find("PropertyGroup")}
    crate = re.search(r'^version = "(.*)"', (HERE.parent / "c" / "Cargo.toml").read_text(), re.MULTILINE)[1]
    if project["Version"] != crate:
        sys.exit(f"Faultbook.csproj has version {project['Version']}, the native library {crate}")
    name = project["PackageId"]
    parts = {
        f"{name}.nuspec": NUSPEC.format(**{key: escape(text or "") for key, text in project.items()}),
        "README.md": (HERE / "README.md").read_text(encoding="utf-8"),
        f"lib/netstandard2.0/{name}.dll": assembly.read_bytes(),
        f"lib/netstandard2.0/{name}.xml": documentation.read_bytes(),
    }
    for native in sys.argv[4:]:
        rid, _, library = native.partition("=")
        file = NAMES.get(rid.split("-")[0])
        if file is None or not library:
            sys.exit(f"`{native}` is not RID=LIBRARY with a RID of linux, osx or win")
        parts[f"runtimes/{rid}/native/{file}"] = Path(library).read_bytes()
    endings = sorted({part.rsplit(".", 1)[1] for part in parts})
    types = "\n".join(f'  <Default Extension="{ending}" ContentType="application/octet" />' for ending in endings)
    parts = {"[Content_Types].xml": TYPES.format(types), "_rels/.rels": RELATIONS.format(name)} | parts
    output.mkdir(parents=True, exist_ok=True)
    package = output / f"{name}.{crate}.nupkg"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            # One moment for all, so that equal files give equal bytes.
            entry = zipfile.ZipInfo(part, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    print(package)


main()
