"""Looks up every installed package in the database of known vulnerabilities.

    python .ci/audit.py

Exit status 1 for a vulnerability that is not in `ACCEPTED`. Where no vulnerability service answers it says so and exits
with 0: a build without a network must pass. A service counts as answering if it knows of an old hole.
"""

import json
import subprocess
import sys
import sysconfig
import tempfile

# Known vulnerabilities that do not concern this app: identifier -> the reason, with the date on which it was given.
ACCEPTED: dict[str, str] = {}
OLD_HOLE = "jinja2==2.10"  # CVE-2019-10906: a sandbox escape that every service lists
SERVICES = ("pypi", "osv")
PATIENCE = 600  # seconds for all packages


def audit(service: str, *arguments: str) -> list[dict[str, object]] | None:
    """The packages that ``service`` was asked about, each with its ``vulns``; None if it did not answer."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    try:
        run = subprocess.run(
            [*command, "--vulnerability-service", service, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return json.loads(run.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def knows_the_old_hole(service: str) -> bool:
    """Whether the service answers at all: a mirror without its data says of every package that it is fine."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(OLD_HOLE + "\n")
        file.flush()
        found = audit(service, "--disable-pip", "--no-deps", "--requirement", file.name)
    return any(package.get("vulns") for package in found or [])


def main() -> int:
    """The exit status."""
    service = next(filter(knows_the_old_hole, SERVICES), None)
    if service is None:
        print("Dependency audit: no vulnerability service could be reached, NOTHING WAS AUDITED.")
        return 0
    packages = audit(service, "--path", sysconfig.get_paths()["purelib"])
    if packages is None:
        print(f"Dependency audit: {service} did not answer for all packages, NOTHING WAS AUDITED.")
        return 0
    bad = 0
    for package in packages:
        for hole in package.get("vulns", []):  # type: ignore[attr-defined]
            names = {hole["id"], *hole["aliases"]}
            reason = next((ACCEPTED[name] for name in names if name in ACCEPTED), None)
            bad += reason is None
            fixed = ", ".join(hole["fix_versions"]) or "nowhere yet"
            print(f"{package['name']} {package['version']}: {', '.join(sorted(names))}, fixed in {fixed}"
                  + (f"; accepted: {reason}" if reason else ""))  # fmt: skip
    left_out = sorted(str(package["name"]) for package in packages if "skip_reason" in package)
    print(f"Dependency audit ({service}): {len(packages)} packages, {bad} vulnerabilities to act upon."
          + (f" Not known there: {', '.join(left_out)}" if left_out else ""))  # fmt: skip
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
