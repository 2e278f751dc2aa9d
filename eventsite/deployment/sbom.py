"""The software bill of materials of the Lambda package, in CycloneDX 1.6, with the licences.

https://cyclonedx.org/docs/1.6/json/
"""

import json
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import eventsite

CLASSIFIER = "License :: OSI Approved :: "


def document(target: Path) -> str:
    """Return the bill of materials of an unzipped package as JSON. It depends on the packages only.

    Args:
        target: The directory, with the metadata (`*.dist-info`) of each installed package.
    """
    components = [_component(path) for path in sorted(target.glob("*.dist-info/METADATA"))]
    return json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "component": {"type": "application", "name": "eventsite", "version": eventsite.__version__},
            },
            "components": components,
        },
        indent=2,
    )


def _component(metadata: Path) -> dict[str, Any]:
    found = HeaderParser().parsestr(metadata.read_text())
    name, version = found["Name"].lower().replace("_", "-"), found["Version"]
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        "licenses": [{"license": {"name": licence(metadata)}}],
    }


def licence(metadata: Path) -> str:
    """Return the licence of an installed package: its SPDX expression, or the text of older metadata."""
    found = HeaderParser().parsestr(metadata.read_text())
    classifiers = [line.removeprefix(CLASSIFIER) for line in found.get_all("Classifier", []) if CLASSIFIER in line]
    named = found.get("License", "")
    return (
        found.get("License-Expression") or (named if "\n" not in named else "") or ", ".join(classifiers) or "unknown"
    )
