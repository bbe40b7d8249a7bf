"""Prints an MSI as JSON, read by pymsi: rows by table, and the summary."""
import json
import sys
from pathlib import Path

import pymsi

package = pymsi.Package(Path(sys.argv[1]))
names = sorted(name for name in package.tables if not name.startswith("_"))
print(json.dumps({name: package.get(name).rows for name in names}, default=repr))
